/// Remembers the ids of recent words by their raw bytes.
///
/// A word has two places, side by side. A new word takes the second, and moves to the first when it
/// comes again: what is frequent stays. So the memory is bounded, 1 MB, and nothing is ever searched.
/// It only saves work, never changes a result.
struct WordCache: ~Copyable {
  /// One cache line: a word, the number of its ids and the ids.
  ///
  /// An empty entry has an empty word.
  struct Entry: BitwiseCopyable {
    var key = WordKey()
    var count: Int32 = 0
    var ids = SIMD8<Int32>()
  }

  static let setBits: UInt64 = 13
  static let idLimit = 8

  private let entries: UnsafeMutablePointer<Entry>

  init() {
    entries = .allocate(capacity: 2 << Int(WordCache.setBits))
    clear()
  }

  deinit { entries.deallocate() }

  func clear() {
    entries.initialize(repeating: Entry(), count: 2 << Int(WordCache.setBits))
  }

  /// A word's entry; nil when it isn't there.
  @inline(__always)
  func find(_ key: WordKey) -> UnsafeMutablePointer<Entry>? {
    let first = place(key)
    if first.pointee.key == key { return first }
    let second = first + 1
    guard second.pointee.key == key else { return nil }
    swap(&first.pointee, &second.pointee)
    return first
  }

  /// Stores a word that `find` doesn't have.
  func store(_ key: WordKey, _ ids: UnsafeBufferPointer<Int32>) {
    guard ids.count <= WordCache.idLimit else { return }
    let entry = place(key) + 1
    entry.pointee.key = key
    entry.pointee.count = Int32(ids.count)
    for (i, id) in ids.enumerated() { entry.pointee.ids[i] = id }
  }

  @inline(__always)
  private func place(_ key: WordKey) -> UnsafeMutablePointer<Entry> {
    entries + Int(truncatingIfNeeded: key.hash >> (64 - WordCache.setBits)) * 2
  }
}

/// The bytes of a word of up to 24 bytes, zeros after them, and how many they are.
struct WordKey: BitwiseCopyable, Equatable {
  static let limit = 24

  var first: UInt64 = 0
  var second: UInt64 = 0
  var third: UInt64 = 0
  var count: Int32 = 0

  init() {}

  /// Packs `count` bytes, 1...24; `readable` bytes may be read from `bytes` on.
  @inline(__always)
  init(_ bytes: UnsafeRawPointer, _ count: Int, readable: Int) {
    self.count = Int32(truncatingIfNeeded: count)
    if readable >= 24 {
      load(bytes, count)
    } else {
      var copy: (UInt64, UInt64, UInt64) = (0, 0, 0)
      withUnsafeMutableBytes(of: &copy) { target in
        for i in 0..<count { target[i] = bytes.load(fromByteOffset: i, as: UInt8.self) }
      }
      (first, second, third) = copy
    }
  }

  @inline(__always)
  private mutating func load(_ bytes: UnsafeRawPointer, _ count: Int) {
    first = bytes.loadUnaligned(as: UInt64.self)
    if count <= 8 {
      first &= ~0 >> UInt64(truncatingIfNeeded: 64 - count * 8)
      return
    }
    second = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    if count <= 16 {
      second &= ~0 >> UInt64(truncatingIfNeeded: 128 - count * 8)
      return
    }
    third = bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
    third &= ~0 >> UInt64(truncatingIfNeeded: 192 - count * 8)
  }

  @inline(__always)
  var hash: UInt64 {
    let mixed =
      first &* 0x9E37_79B9_7F4A_7C15 ^ second &* 0xC2B2_AE3D_27D4_EB4F
      ^ (third &+ UInt64(truncatingIfNeeded: count)) &* 0x1656_67B1_9E37_79F9
    return (mixed ^ mixed >> 32) &* 0x9E37_79B9_7F4A_7C15
  }
}
