/// All pieces of a vocabulary as a tree over bytes, with its edges in one hash table.
///
/// Finding the longest piece at a place is one walk, a table read a byte. Pieces are UTF-8, so a
/// piece found in UTF-8 ends between two scalars.
final class PieceTrie: @unchecked Sendable {
  // Unchecked: filled by init, only read afterwards.
  private let edges: EdgeTable
  /// The id of the piece that ends at a node, -1 where none does.
  private let ids: UnsafeMutablePointer<Int32>

  /// Where a word starts.
  let root: UInt32 = 1
  /// Where the rest of a word starts: the node after `##`; 0 when no piece continues a word.
  let continuation: UInt32

  /// Builds the tree of the first `count` tokens.
  init(_ table: TokenTable, count: Int) {
    var byteCount = 0
    for index in 0..<count { byteCount += table.withBytes(index) { $0.count } }
    // Pieces share beginnings: usually a third of the bytes become nodes, at most all of them.
    var edges = EdgeTable(expecting: byteCount / 4)
    let ids = UnsafeMutablePointer<Int32>.allocate(capacity: byteCount + 2)
    ids.initialize(repeating: -1, count: byteCount + 2)
    var nodes: UInt32 = 1
    for index in 0..<count {
      table.withBytes(index) { token in
        var node: UInt32 = 1
        for byte in token { node = edges.insert(node, byte, &nodes) }
        ids[Int(node)] = Int32(index)
      }
    }
    let hash = edges.child(1, 0x23)
    continuation = hash == 0 ? 0 : edges.child(hash, 0x23)
    self.edges = edges
    self.ids = ids
  }

  deinit {
    edges.deallocate()
    ids.deallocate()
  }

  /// Appends the pieces of one word: the longest that fits, then the longest of what remains.
  ///
  /// Appends `unknown` alone when some part has no piece.
  func split(
    _ word: UnsafePointer<UInt8>, _ count: Int, unknown: Int32,
    into result: inout GrowableBuffer<Int32>
  ) {
    let mark = result.count
    var start = 0
    var origin = root
    while start < count {
      var node = origin
      var end = start
      var best: Int32 = -1
      var position = start
      while position < count {
        node = edges.child(node, word[position])
        if node == 0 { break }
        position += 1
        let id = ids[Int(node)]
        if id >= 0 { (best, end) = (id, position) }
      }
      if best < 0 {
        result.count = mark
        result.append(unknown)
        return
      }
      result.append(best)
      start = end
      origin = continuation
    }
  }
}

/// The edges of a tree: (node, byte) to node, open addressing, at most half full.
///
/// A slot holds node and byte in its upper half, the node they lead to in its lower; 0 when free.
private struct EdgeTable {
  private var slots: UnsafeMutablePointer<UInt64>
  private var bits: UInt64 = 6
  private var count = 0

  init(expecting edges: Int) {
    while 1 << bits < edges * 2 { bits += 1 }
    slots = EdgeTable.emptySlots(bits)
  }

  func deallocate() { slots.deallocate() }

  private static func emptySlots(_ bits: UInt64) -> UnsafeMutablePointer<UInt64> {
    let slots = UnsafeMutablePointer<UInt64>.allocate(capacity: 1 << Int(bits))
    slots.initialize(repeating: 0, count: 1 << Int(bits))
    return slots
  }

  /// The node that `byte` leads to; 0 when there is none.
  @inline(__always)
  func child(_ node: UInt32, _ byte: UInt8) -> UInt32 {
    UInt32(truncatingIfNeeded: slots[place(node << 8 | UInt32(byte))])
  }

  /// The node that `byte` leads to, a new one (`nodes` counts them) when there was none.
  mutating func insert(_ node: UInt32, _ byte: UInt8, _ nodes: inout UInt32) -> UInt32 {
    let key = node << 8 | UInt32(byte)
    let found = slots[place(key)]
    if found != 0 { return UInt32(truncatingIfNeeded: found) }
    if (count + 1) * 2 > 1 << bits { grow() }
    nodes += 1
    count += 1
    slots[place(key)] = UInt64(key) << 32 | UInt64(nodes)
    return nodes
  }

  private mutating func grow() {
    let old = slots
    let oldSize = 1 << Int(bits)
    bits += 1
    slots = EdgeTable.emptySlots(bits)
    for i in 0..<oldSize where old[i] != 0 {
      slots[place(UInt32(truncatingIfNeeded: old[i] >> 32))] = old[i]
    }
    old.deallocate()
  }

  /// The slot that holds an edge, or the free one where it would be.
  @inline(__always)
  private func place(_ key: UInt32) -> Int {
    let mask = (1 << Int(bits)) - 1
    var place = Int(truncatingIfNeeded: (UInt64(key) &* 0x9E37_79B9_7F4A_7C15) >> (64 &- bits))
    while slots[place] != 0, UInt32(truncatingIfNeeded: slots[place] >> 32) != key {
      place = (place + 1) & mask
    }
    return place
  }
}
