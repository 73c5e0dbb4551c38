/// Distinct byte strings numbered in order of arrival; strings are compared byte by byte.
///
/// All bytes lie in one array and the hash table holds numbers only, so a text adds no allocation a
/// word. (Swift's String would also merge canonically equivalent words, which Python keeps apart.)
struct TermTable: Sendable {
  private var bytes: [UInt8] = []
  private var starts: [Int] = [0]
  private var slots = [Int32](repeating: -1, count: 1024)

  /// The number of terms.
  var count: Int { starts.count - 1 }

  /// The bytes of a term.
  subscript(term: Int) -> ArraySlice<UInt8> { bytes[starts[term]..<starts[term + 1]] }

  /// The number of a term, added if it is new.
  mutating func insert(_ term: UnsafeBufferPointer<UInt8>) -> Int {
    let slot = slot(of: term)
    if slots[slot] >= 0 { return Int(slots[slot]) }
    let number = count
    slots[slot] = Int32(number)
    bytes.append(contentsOf: term)
    starts.append(bytes.count)
    if 2 * count > slots.count { grow() }
    return number
  }

  /// The number of a term, or `nil` if it isn't there.
  func find(_ term: UnsafeBufferPointer<UInt8>) -> Int? {
    let number = slots[slot(of: term)]
    return number >= 0 ? Int(number) : nil
  }

  /// The slot that holds a term, or the empty one where it belongs.
  private func slot(of term: UnsafeBufferPointer<UInt8>) -> Int {
    var slot = Self.hash(term) & (slots.count - 1)
    while slots[slot] >= 0, !matches(Int(slots[slot]), term) {
      slot = (slot + 1) & (slots.count - 1)
    }
    return slot
  }

  private func matches(_ number: Int, _ term: UnsafeBufferPointer<UInt8>) -> Bool {
    let start = starts[number]
    guard starts[number + 1] - start == term.count else { return false }
    for n in 0..<term.count where bytes[start + n] != term[n] { return false }
    return true
  }

  private mutating func grow() {
    slots = [Int32](repeating: -1, count: slots.count * 2)
    bytes.withUnsafeBufferPointer { all in
      for number in 0..<count {
        var slot =
          Self.hash(UnsafeBufferPointer(rebasing: all[starts[number]..<starts[number + 1]]))
          & (slots.count - 1)
        while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Int32(number)
      }
    }
  }

  /// FNV-1a with a final mix, since the table uses the low bits.
  private static func hash(_ term: UnsafeBufferPointer<UInt8>) -> Int {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in term { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    hash = (hash ^ (hash >> 32)) &* 0x9e37_79b9_7f4a_7c15
    return Int(truncatingIfNeeded: hash >> 33)
  }
}
