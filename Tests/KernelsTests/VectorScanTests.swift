import Kernels
import Testing

@Suite("Vector scan")
struct VectorScanTests {
  /// The index and the score of what is above the bound, in the order found.
  private func collected(_ scores: [Float], bound: Float, limit: Int, first: Int = 0) -> (
    [UInt32], [UInt64]
  ) {
    var keys = [UInt64](repeating: 0, count: limit + VectorScan.block)
    var (indices, all): ([UInt32], [UInt64]) = ([], [])
    var place = 0
    while place < scores.count {
      var kept = 0
      place = keys.withUnsafeMutableBufferPointer {
        guard let base = $0.baseAddress else { return scores.count }
        return VectorScan.collectAbove(
          scores, from: place, count: scores.count, bound: bound, first: first, into: base,
          kept: &kept, limit: limit)
      }
      #expect(kept < limit + VectorScan.block)
      indices += keys[..<kept].map { ~UInt32(truncatingIfNeeded: $0) }
      all += keys[..<kept]
    }
    return (indices, all)
  }

  @Test("finds what is above the bound, whatever the length and the limit", arguments: [1, 3, 40])
  func finds(limit: Int) {
    for count in [0, 1, 31, 32, 33, 64, 100, 1000] {
      let scores = (0..<count).map { Float(($0 &* 7919) % 101) }
      let expected = (0..<count).filter { scores[$0] > 60 }.map { UInt32($0 + 5) }
      #expect(collected(scores, bound: 60, limit: limit, first: 5).0 == expected)
      #expect(collected(scores, bound: 101, limit: limit).0.isEmpty)
    }
  }

  @Test("keys order by score, then by the lower index")
  func order() {
    let scores: [Float] = [0, -1, .infinity, -0.0, 3, -2.5, 3, .nan, -.infinity, 1e-40, -1e-40]
    let (indices, keys) = collected(scores, bound: -.infinity, limit: 100)
    #expect(indices == [0, 1, 2, 3, 4, 5, 6, 9, 10])
    let ranked = zip(keys, indices).sorted { $0.0 > $1.0 }.map(\.1)
    #expect(ranked == [2, 4, 6, 9, 0, 3, 10, 1, 5])
  }

  @Test(
    "keeps the largest keys in their order", arguments: [1...1, 1...3, 5...5, 90...99, 99...99])
  func keeps(range: ClosedRange<Int>) {
    for spread in [1, 1000, UInt64.max / 101] {
      var keys = (0..<100).map { (UInt64(($0 &* 37) % 100) + 1) * spread }
      let all = keys
      let (kept, bound) = keys.withUnsafeMutableBufferPointer {
        $0.baseAddress.map { VectorScan.keepLargest($0, count: 100, range: range) } ?? (0, 0)
      }
      #expect(range.contains(kept))
      #expect(Array(keys[..<kept]) == all.filter { $0 > bound })
    }
  }
}
