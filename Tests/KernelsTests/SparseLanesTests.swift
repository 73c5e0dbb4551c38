import Kernels
import Testing

@Suite("Sparse products of sixteen vectors")
struct SparseLanesTests {
  /// Rows [2 at 0, -1 at 2], [], [0.5 at 1].
  private let offsets = [0, 2, 2, 3]
  private let columns: [Int32] = [0, 2, 1]
  private let values: [Float] = [2, -1, 0.5]

  @Test("sums of the entries, vector by vector; missing vectors are zeros")
  func products() {
    for vectors in [1, 3, 16] {
      // Vector v is (v + 1, 10 v, 100).
      let rows = (0..<vectors).flatMap { v -> [Float] in [Float(v + 1), Float(10 * v), 100] }
      var lanes = [Float](repeating: .nan, count: 3 * SparseLanes.count)
      SparseLanes.interleave(&lanes, rows: rows, vectors: vectors, width: 3)
      var y = [Float](repeating: .nan, count: 3 * SparseLanes.count)
      SparseLanes.multiply(
        &y, offsets: offsets, columns: columns, values: values, rows: 3, x: lanes)
      for lane in 0..<SparseLanes.count {
        let v = Float(lane)
        let expected: [Float] = lane < vectors ? [2 * (v + 1) - 100, 0, 5 * v] : [0, 0, 0]
        #expect((0..<3).map { y[$0 * SparseLanes.count + lane] } == expected)
      }
    }
  }

  @Test("a vector's sums don't depend on the others")
  func independence() {
    let width = 600
    let row = (0..<width).map { Float($0 % 7) - 2.75 }
    let other = (0..<width).map { Float($0 % 11) * 1e6 }
    let offsets = [0, width]
    let columns = (0..<width).map { Int32(($0 * 7) % width) }
    let values = (0..<width).map { Float($0 % 5) / 3 }
    func sum(_ rows: [Float], _ vectors: Int, lane: Int) -> Float {
      var lanes = [Float](repeating: 0, count: width * SparseLanes.count)
      SparseLanes.interleave(&lanes, rows: rows, vectors: vectors, width: width)
      var y = [Float](repeating: 0, count: SparseLanes.count)
      SparseLanes.multiply(
        &y, offsets: offsets, columns: columns, values: values, rows: 1, x: lanes)
      return y[lane]
    }
    let alone = sum(row, 1, lane: 0)
    #expect(sum(other + row, 2, lane: 1) == alone)
    let exact = columns.indices.reduce(0.0) {
      $0 + Double(values[$1]) * Double(row[Int(columns[$1])])
    }
    #expect(abs(Double(alone) - exact) < 1e-3)
  }
}
