/// A growing list of byte strings without repetitions, and the way back from a string to its index.
///
/// Bytes, not `String`s: Swift counts canonically equivalent strings as equal, a vocabulary doesn't.
struct TokenTable: Sendable {
  private var bytes: [UInt8] = []
  private var ends: [Int] = []
  /// Open addressing; index + 1, 0 where empty.
  private var slots: [UInt32]

  init(expecting count: Int = 0, bytes byteCount: Int = 0) {
    var size = 64
    while size < count * 2 { size *= 2 }
    slots = Array(repeating: 0, count: size)
    ends.reserveCapacity(count)
    bytes.reserveCapacity(byteCount)
  }

  var count: Int { ends.count }

  /// The length of all tokens together.
  var byteCount: Int { bytes.count }

  /// Calls `body` with the bytes of a token.
  @inline(__always)
  func withBytes<R>(_ index: Int, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
    bytes.withUnsafeBufferPointer { all in
      body(UnsafeBufferPointer(rebasing: all[(index == 0 ? 0 : ends[index - 1])..<ends[index]]))
    }
  }

  func string(_ index: Int) -> String {
    withBytes(index) { String(decoding: $0, as: UTF8.self) }
  }

  /// The index of a byte string; nil when it isn't in the table.
  func index(of token: UnsafeBufferPointer<UInt8>) -> Int? {
    let found = Int(slots[slot(of: token)])
    return found == 0 ? nil : found - 1
  }

  func index(of token: String) -> Int? {
    var token = token
    return token.withUTF8 { index(of: $0) }
  }

  /// Appends a token, or gives the index it has already.
  mutating func insert(_ token: UnsafeBufferPointer<UInt8>) -> (inserted: Bool, index: Int) {
    let place = slot(of: token)
    if slots[place] != 0 { return (false, Int(slots[place]) - 1) }
    bytes.append(contentsOf: token)
    ends.append(bytes.count)
    slots[place] = UInt32(ends.count)
    if ends.count * 2 > slots.count { rehash() }
    return (true, ends.count - 1)
  }

  mutating func insert(_ token: String) -> (inserted: Bool, index: Int) {
    var token = token
    return token.withUTF8 { insert($0) }
  }

  private mutating func rehash() {
    slots = Array(repeating: 0, count: slots.count * 2)
    for index in 0..<count {
      let place = withBytes(index) { slot(of: $0) }
      slots[place] = UInt32(index + 1)
    }
  }

  /// Where a token is or would be put.
  private func slot(of token: UnsafeBufferPointer<UInt8>) -> Int {
    let mask = slots.count - 1
    var place = Int(truncatingIfNeeded: ByteHash.hash(token)) & mask
    while slots[place] != 0 {
      if withBytes(Int(slots[place]) - 1, { equal($0, token) }) { return place }
      place = (place + 1) & mask
    }
    return place
  }

  private func equal(
    _ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    a.count == b.count && a.elementsEqual(b)
  }
}

/// A fast hash of bytes, the same in every process.
enum ByteHash {
  @inline(__always)
  static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    guard let base = bytes.baseAddress else { return 0 }
    let raw = UnsafeRawPointer(base)
    var state = UInt64(truncatingIfNeeded: bytes.count) &* 0x9E37_79B9_7F4A_7C15
    var offset = 0
    while offset + 8 <= bytes.count {
      state = mix(state ^ raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      offset += 8
    }
    var rest: UInt64 = 0
    while offset < bytes.count {
      rest = rest << 8 | UInt64(base[offset])
      offset += 1
    }
    return mix(state ^ rest)
  }

  @inline(__always)
  static func mix(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
    return product.high ^ product.low
  }
}
