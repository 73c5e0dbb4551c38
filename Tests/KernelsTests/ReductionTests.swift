import Kernels
import TestSupport
import Testing

@Suite struct ReductionTests {
  @Test(arguments: [0, 1, 15, 16, 17, 70, 4097])
  func sumsAgreeWithPlainLoops(count: Int) {
    let x = randomFloats(count, seed: 1, scale: 10)
    let squares = x.doubles.reduce(0) { $0 + $1 * $1 }
    expectClose(Reduction.sumOfSquares(x, count: count), squares, relative: 1e-14, "Float")
    expectClose(Reduction.sumOfSquares(x.doubles, count: count), squares, relative: 1e-14, "Double")
    var into = randomFloats(count, seed: 2)
    let wanted = zip(into, x).map { $0 + $1 }
    Reduction.add(into: &into, x, count: count)
    #expect(into == wanted)
    Reduction.zero(&into, count: count)
    #expect(into.allSatisfy { $0 == 0 })
  }

  @Test(arguments: [1, 2, 3, 4, 5, 8, 11], [1, 3, 16, 37])
  func columnSumsAdd(rows: Int, columns: Int) {
    let x = randomFloats(rows * columns, seed: 3)
    let start = randomFloats(columns, seed: 4)
    var (into, exact) = (start, start.doubles)
    Reduction.columnSums(into: &into, x: x, rows: rows, columns: columns)
    Reduction.columnSums(into: &exact, x: x.doubles, rows: rows, columns: columns)
    expectClose(into.doubles, exact, absolute: 1e-6, "Float against Double")
    let plain = (0..<columns).map { j in
      (0..<rows).reduce(Double(start[j])) { $0 + Double(x[$1 * columns + j]) }
    }
    expectClose(exact, plain, absolute: 1e-14, "Double against a plain loop")
  }

  @Test func squaresDoNotOverflowFloat() {
    #expect(Reduction.sumOfSquares([1e30, 1e30] as [Float], count: 2).isFinite)
  }
}
