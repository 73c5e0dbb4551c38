/// Numbers the distinct byte strings of a column from 0 in the order of their first appearance.
///
/// Ids are compared as bytes, so canonically equivalent spellings stay apart. All ids share one byte
/// array, and an open-addressing hash finds them, so a row costs no allocation.
public struct IDTable: Sendable, Equatable {
  private var bytes: [UInt8] = []
  private var offsets: [Int] = [0]
  /// A power of two in size, at most half full.
  private var slots: [Slot]

  /// Creates an empty table with room for `minimumCapacity` ids.
  public init(minimumCapacity: Int = 0) {
    var size = 16
    while size < minimumCapacity * 2 { size *= 2 }
    slots = Array(repeating: Slot(), count: size)
  }

  /// Creates the table of `ids`, repeated ones once.
  public init(_ ids: some Sequence<String>) {
    self.init()
    for id in ids { insert(id) }
  }

  /// The number of ids.
  public var count: Int { offsets.count - 1 }

  /// The id with number `index`.
  public subscript(index: Int) -> String {
    String(decoding: bytes[offsets[index]..<offsets[index + 1]], as: UTF8.self)
  }

  /// The number of `id`, or nil when the table doesn't have it.
  public func index(of id: String) -> Int? {
    var id = id
    return id.withUTF8 { index(of: $0) }
  }

  /// The number of the id with these bytes, or nil.
  public func index(of id: UnsafeBufferPointer<UInt8>) -> Int? {
    let found = slots[place(of: id, IDKey(id))].number
    return found == 0 ? nil : Int(found) - 1
  }

  /// Adds `id` unless it is there, and returns its number.
  @discardableResult
  public mutating func insert(_ id: String) -> Int {
    var id = id
    return id.withUTF8 { insert($0) }
  }

  /// Adds the id with these bytes unless it is there, and returns its number.
  @discardableResult
  public mutating func insert(_ id: UnsafeBufferPointer<UInt8>) -> Int {
    let key = IDKey(id)
    let place = place(of: id, key)
    if slots[place].number != 0 { return Int(slots[place].number) - 1 }
    precondition(count < Int(Int32.max) - 1, "more than 2^31 different ids")
    bytes.append(contentsOf: id)
    offsets.append(bytes.count)
    slots[place] = Slot(key: key, number: Int32(count))
    if count * 2 > slots.count { grow() }
    return count - 1
  }

  /// Calls `body` with the bytes of the id with number `index`.
  public func withBytes<Result>(
    of index: Int, _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
  ) rethrows -> Result {
    let range = offsets[index]..<offsets[index + 1]
    return try bytes.withUnsafeBufferPointer { try body(UnsafeBufferPointer(rebasing: $0[range])) }
  }

  /// Whether the id with number `index` has these bytes.
  @inline(__always)
  func matches(_ index: Int, _ id: UnsafeBufferPointer<UInt8>) -> Bool {
    let start = offsets[index]
    guard offsets[index + 1] - start == id.count else { return false }
    return bytes.withUnsafeBufferPointer { IDTable.areEqual($0, start, id) }
  }

  /// All ids, in the order of their numbers.
  public var strings: [String] { (0..<count).map { self[$0] } }

  /// The numbers of the ids in the order of their bytes, which is the order of their code points.
  public func sortedIndices() -> [Int32] {
    bytes.withUnsafeBufferPointer { all in
      func id(_ index: Int32) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: all[offsets[Int(index)]..<offsets[Int(index) + 1]])
      }
      return (0..<Int32(count)).sorted { id($0).lexicographicallyPrecedes(id($1)) }
    }
  }

  /// Two tables are equal when they give the same numbers to the same ids.
  public static func == (a: IDTable, b: IDTable) -> Bool {
    a.offsets == b.offsets && a.bytes == b.bytes
  }

  /// The slot that holds `id`, or the free one where it belongs.
  private func place(of id: UnsafeBufferPointer<UInt8>, _ key: IDKey) -> Int {
    let mask = slots.count - 1
    return slots.withUnsafeBufferPointer { slots in
      var place = key.start & mask
      while slots[place].number != 0 {
        if slots[place].key == key
          && (key.isExact || matches(Int(slots[place].number) - 1, id))
        {
          break
        }
        place = (place + 1) & mask
      }
      return place
    }
  }

  private mutating func grow() {
    var larger = [Slot](repeating: Slot(), count: slots.count * 2)
    let mask = larger.count - 1
    for slot in slots where slot.number != 0 {
      var place = slot.key.start & mask
      while larger[place].number != 0 { place = (place + 1) & mask }
      larger[place] = slot
    }
    slots = larger
  }

  private static func areEqual(
    _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ id: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    for i in 0..<id.count where bytes[start + i] != id[i] { return false }
    return true
  }

  /// One place of the hash table; free when `number` is 0.
  private struct Slot: Sendable {
    var key = IDKey()
    /// The id's number + 1.
    var number: Int32 = 0
  }
}

/// What the hash table compares: for an id of at most 8 bytes the id itself, so that finding it touches
/// one place of memory; for a longer one a hash.
private struct IDKey: Sendable, Equatable {
  private var word: UInt64 = 0
  private var length: UInt32 = 0

  init() {}

  init(_ id: UnsafeBufferPointer<UInt8>) {
    let raw = UnsafeRawBufferPointer(id)
    length = UInt32(truncatingIfNeeded: raw.count)
    switch raw.count {
    case 0: break
    case 1...3:
      word = UInt64(raw[0]) | UInt64(raw[raw.count / 2]) << 8 | UInt64(raw[raw.count - 1]) << 16
    case 4...8:
      // The two words overlap; for one length they say all bytes.
      let low = raw.loadUnaligned(as: UInt32.self)
      let high = raw.loadUnaligned(fromByteOffset: raw.count - 4, as: UInt32.self)
      word = UInt64(low) | UInt64(high) << 32
    default: word = IDKey.hash(raw)
    }
  }

  /// Whether equal keys mean equal ids.
  var isExact: Bool { length <= 8 }

  /// Where the search begins, before it is cut to the table's size.
  var start: Int {
    Int(truncatingIfNeeded: splitMix64Finalizer(word ^ UInt64(length) &* 0x9E37_79B9_7F4A_7C15))
  }

  /// Eight bytes at a time, multiplied and folded, the last eight perhaps twice.
  private static func hash(_ raw: UnsafeRawBufferPointer) -> UInt64 {
    var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
    var place = 0
    while place + 8 < raw.count {
      hash = fold(hash ^ raw.loadUnaligned(fromByteOffset: place, as: UInt64.self))
      place += 8
    }
    return fold(hash ^ raw.loadUnaligned(fromByteOffset: raw.count - 8, as: UInt64.self))
  }

  private static func fold(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
    return product.high ^ product.low
  }
}
