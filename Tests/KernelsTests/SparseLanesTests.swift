import Kernels
import Testing

@Suite("Sparse products of sixteen or four vectors")
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
    var few = [Float](repeating: 0, count: width * SparseLanes.few)
    SparseLanes.interleave(&few, rows: row, vectors: 1, width: width, lanes: SparseLanes.few)
    var y = [Float](repeating: 0, count: SparseLanes.few)
    SparseLanes.multiply(
      &y, offsets: offsets, columns: columns, values: values, rows: 1, x: few,
      lanes: SparseLanes.few)
    #expect(y[0] == alone)
    let exact = columns.indices.reduce(0.0) {
      $0 + Double(values[$1]) * Double(row[Int(columns[$1])])
    }
    #expect(abs(Double(alone) - exact) < 1e-3)
  }

  @Test("there and back", arguments: [SparseLanes.few, SparseLanes.count])
  func thereAndBack(lanes: Int) {
    let (vectors, width) = (lanes - 1, 300)
    let rows = (0..<(vectors * width)).map { Float($0) }
    var mixed = [Float](repeating: .nan, count: width * lanes)
    SparseLanes.interleave(&mixed, rows: rows, vectors: vectors, width: width, lanes: lanes)
    #expect(mixed[5 * lanes + 2] == Float(2 * width + 5) && mixed[lanes - 1] == 0)
    var again = [Float](repeating: .nan, count: vectors * width)
    SparseLanes.separate(&again, lanes: mixed, vectors: vectors, width: width, lanes: lanes)
    #expect(again == rows)
  }

  @Test(
    "standardised by mean and deviation, as by hand in Double",
    arguments: [SparseLanes.few, SparseLanes.count], [true, false])
  func standardized(lanes: Int, isMasked: Bool) {
    let rows = 700
    let x = (0..<(rows * lanes)).map { Float(($0 * 7919) % 1000) / 100 - 3 }
    let mask = (0..<rows).map { Float($0 % 3 == 0 ? 0 : 1) }
    var (sums, squares) = (
      [Double](repeating: .nan, count: lanes), [Double](repeating: .nan, count: lanes)
    )
    SparseLanes.moments(
      sums: &sums, squares: &squares, x: x, mask: isMasked ? mask : nil, rows: rows, lanes: lanes)
    for lane in 0..<lanes {
      let own = (0..<rows).map { Double(x[$0 * lanes + lane]) * (isMasked ? Double(mask[$0]) : 1) }
      #expect(abs(sums[lane] - own.reduce(0, +)) < 1e-2)
      #expect(abs(squares[lane] - own.reduce(0) { $0 + $1 * $1 }) < 1e-2)
    }
    let shift = (0..<lanes).map { Float($0) }
    let scale = (0..<lanes).map { 1 / Float($0 + 1) }
    let coefficients = (0..<rows).map { Float($0 % 5) }
    var y = [Float](repeating: 1, count: rows * lanes)
    SparseLanes.addStandardized(
      &y, x: x, shift: shift, scale: scale, coefficients: coefficients, rows: rows, lanes: lanes)
    for n in y.indices {
      let (row, lane) = (n / lanes, n % lanes)
      let expected = 1 + (x[n] - shift[lane]) * scale[lane] * coefficients[row]
      #expect(abs(y[n] - expected) < 1e-5)
    }
  }
}
