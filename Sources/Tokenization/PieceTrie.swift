/// All pieces of a vocabulary as a tree over bytes, with its edges in one hash table.
///
/// Finding the longest piece at a place is one walk, a table read a byte. Pieces are UTF-8, so a
/// piece found in UTF-8 ends between two scalars.
final class PieceTrie: @unchecked Sendable {
  // Unchecked: filled by init, only read afterwards.
  private let edges: UnsafeMutablePointer<UInt64>
  private let shift: UInt64
  private let mask: Int
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
    // Every byte adds a node at most; the table is at most half full.
    var bits: UInt64 = 6
    while 1 << bits < byteCount * 2 { bits += 1 }
    let size = 1 << Int(bits)
    let mask = size - 1
    let shift = 64 - bits
    let edges = UnsafeMutablePointer<UInt64>.allocate(capacity: size)
    edges.initialize(repeating: 0, count: size)
    let ids = UnsafeMutablePointer<Int32>.allocate(capacity: byteCount + 2)
    ids.initialize(repeating: -1, count: byteCount + 2)
    var nodes: UInt32 = 1
    for index in 0..<count {
      table.withBytes(index) { token in
        var node: UInt32 = 1
        for byte in token {
          let place = PieceTrie.place(edges, shift, mask, node, byte)
          if edges[place] == 0 {
            nodes += 1
            edges[place] = UInt64(PieceTrie.key(node, byte)) << 32 | UInt64(nodes)
          }
          node = UInt32(truncatingIfNeeded: edges[place])
        }
        ids[Int(node)] = Int32(index)
      }
    }
    let first = PieceTrie.place(edges, shift, mask, 1, 0x23)
    let hash = UInt32(truncatingIfNeeded: edges[first])
    let second = hash == 0 ? 0 : edges[PieceTrie.place(edges, shift, mask, hash, 0x23)]
    continuation = UInt32(truncatingIfNeeded: second)
    (self.edges, self.shift, self.mask, self.ids) = (edges, shift, mask, ids)
  }

  deinit {
    edges.deallocate()
    ids.deallocate()
  }

  /// The node that `byte` leads to; 0 when there is none.
  @inline(__always)
  func child(_ node: UInt32, _ byte: UInt8) -> UInt32 {
    UInt32(truncatingIfNeeded: edges[PieceTrie.place(edges, shift, mask, node, byte)])
  }

  /// The id of the piece that ends at a node; -1 when none does.
  @inline(__always)
  func id(_ node: UInt32) -> Int32 { ids[Int(node)] }

  @inline(__always)
  private static func key(_ node: UInt32, _ byte: UInt8) -> UInt32 { node << 8 | UInt32(byte) }

  /// The slot that holds an edge, or the free one where it would be.
  @inline(__always)
  private static func place(
    _ edges: UnsafeMutablePointer<UInt64>, _ shift: UInt64, _ mask: Int, _ node: UInt32,
    _ byte: UInt8
  ) -> Int {
    let key = key(node, byte)
    var place = Int(truncatingIfNeeded: (UInt64(key) &* 0x9E37_79B9_7F4A_7C15) >> shift)
    while edges[place] != 0, UInt32(truncatingIfNeeded: edges[place] >> 32) != key {
      place = (place + 1) & mask
    }
    return place
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
        node = child(node, word[position])
        if node == 0 { break }
        position += 1
        let id = id(node)
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
