/// Counts of neighbouring pieces, found by the pair, and the words in which each waits to be merged.
struct PairTable: ~Copyable {
  struct Pair: BitwiseCopyable {
    /// First id in the upper half, second in the lower: ordered as the pair is.
    let key: UInt64
    var count: Int64 = 0
    /// The last node of the list of words; -1 for none.
    var lastNode: Int32 = -1
    /// The last visit (of a word) that added to the list.
    var visit: Int = -1
  }

  /// A list of words as nodes that point to the one before.
  struct Node: BitwiseCopyable {
    let word: Int32
    let previous: Int32
  }

  private(set) var nodes = GrowableBuffer<Node>(capacity: 1 << 12)
  var pairs = GrowableBuffer<Pair>(capacity: 1 << 12)
  /// Open addressing; index + 1, 0 where empty.
  private var slots: [UInt32] = Array(repeating: 0, count: 1 << 13)

  static func key(_ first: Int32, _ second: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: first)) << 32 | UInt64(UInt32(bitPattern: second))
  }

  /// The index of a pair, which is added with count 0 when it is new.
  mutating func index(of key: UInt64) -> Int {
    var place = slot(key)
    while slots[place] != 0 {
      let index = Int(slots[place]) - 1
      if pairs.base[index].key == key { return index }
      place = (place + 1) & (slots.count - 1)
    }
    pairs.append(Pair(key: key))
    slots[place] = UInt32(pairs.count)
    let index = pairs.count - 1
    if pairs.count * 2 > slots.count { rehash() }
    return index
  }

  /// Notes that a pair stands in a word; a second time in one visit changes nothing.
  ///
  /// True when it is the first word of the pair's list.
  mutating func note(_ index: Int, in word: Int32, visit: Int) -> Bool {
    if pairs.base[index].visit == visit { return false }
    let previous = pairs.base[index].lastNode
    nodes.append(Node(word: word, previous: previous))
    pairs.base[index].lastNode = Int32(nodes.count - 1)
    pairs.base[index].visit = visit
    return previous < 0
  }

  private func slot(_ key: UInt64) -> Int {
    Int(truncatingIfNeeded: ByteHash.mix(key)) & (slots.count - 1)
  }

  private mutating func rehash() {
    slots = Array(repeating: 0, count: slots.count * 2)
    for index in 0..<pairs.count {
      var place = slot(pairs.base[index].key)
      while slots[place] != 0 { place = (place + 1) & (slots.count - 1) }
      slots[place] = UInt32(index + 1)
    }
  }
}
