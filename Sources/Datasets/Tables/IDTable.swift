/// Numbers the distinct byte strings of a column: id <-> 0, 1, 2, ... in order of first appearance.
///
/// Ids are compared as bytes, so canonically equivalent spellings stay apart. All ids share one byte
/// array, and an open-addressing hash finds them, so a row costs no allocation.
public struct IDTable: Sendable, Equatable {
  private var bytes: [UInt8] = []
  private var offsets: [Int] = [0]
  /// Position + 1 of an id, 0 when free; a power of two in size, at most half full.
  private var slots: [Int32]

  /// Creates an empty table with room for `minimumCapacity` ids.
  public init(minimumCapacity: Int = 0) {
    var size = 16
    while size < minimumCapacity * 2 { size *= 2 }
    slots = Array(repeating: 0, count: size)
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
    let found = slots[slot(of: id)]
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
    let place = slot(of: id)
    if slots[place] != 0 { return Int(slots[place]) - 1 }
    precondition(count < Int(Int32.max) - 1, "more than 2^31 different ids")
    bytes.append(contentsOf: id)
    offsets.append(bytes.count)
    slots[place] = Int32(count)
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
  private func slot(of id: UnsafeBufferPointer<UInt8>) -> Int {
    let mask = slots.count - 1
    var place = Int(truncatingIfNeeded: IDTable.hash(id)) & mask
    return slots.withUnsafeBufferPointer { slots in
      bytes.withUnsafeBufferPointer { bytes in
        offsets.withUnsafeBufferPointer { offsets in
          while slots[place] != 0 {
            let candidate = Int(slots[place]) - 1
            let start = offsets[candidate]
            let length = offsets[candidate + 1] - start
            if length == id.count && IDTable.areEqual(bytes, start, id) { break }
            place = (place + 1) & mask
          }
          return place
        }
      }
    }
  }

  private mutating func grow() {
    slots = Array(repeating: 0, count: slots.count * 2)
    let mask = slots.count - 1
    for index in 0..<count {
      var place = withBytes(of: index) { Int(truncatingIfNeeded: IDTable.hash($0)) & mask }
      while slots[place] != 0 { place = (place + 1) & mask }
      slots[place] = Int32(index + 1)
    }
  }

  private static func areEqual(
    _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ id: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    for i in 0..<id.count where bytes[start + i] != id[i] { return false }
    return true
  }

  /// Eight bytes at a time, multiplied and folded; the table's own, never stored.
  private static func hash(_ id: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var hash: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(id.count)
    let raw = UnsafeRawBufferPointer(id)
    var place = 0
    while place + 8 <= raw.count {
      let word = raw.loadUnaligned(fromByteOffset: place, as: UInt64.self)
      hash = fold(hash ^ word)
      place += 8
    }
    var tail: UInt64 = 0
    while place < raw.count {
      tail = tail << 8 | UInt64(raw[place])
      place += 1
    }
    return splitMix64Finalizer(hash ^ tail)
  }

  private static func fold(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
    return product.high ^ product.low
  }
}
