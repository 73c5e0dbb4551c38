import EncoderModel
import Kernels
import TestSupport
import Testing

/// Pooling by hand arithmetic: three sequences, the second one empty, width 2.
@Suite struct PoolingTests {
  static let batch = PackedBatch([[1, 2, 3], [], [4, 5]])
  static let hidden: [Double] = [1, -5, 4, -6, 4, -1, 2, 8, 6, 7]

  static let (third, half) = (3.0.squareRoot(), 2.0.squareRoot())

  static let expected: [(Pooling, [Double], [Double])] = [
    (.cls, [1, -5, 0, 0, 2, 8], [3, 6, 0, 0, 0, 0, 2, 4, 0, 0]),
    (.mean, [3, -4, 0, 0, 4, 7.5], [1, 2, 1, 2, 1, 2, 1, 2, 1, 2]),
    // Of the two 4s in column 0 the first takes the gradient.
    (.max, [4, -1, 0, 0, 6, 8], [0, 0, 3, 0, 0, 6, 0, 4, 2, 0]),
    (.lastToken, [4, -1, 0, 0, 6, 7], [0, 0, 0, 0, 3, 6, 0, 0, 2, 4]),
    (
      .meanSquareRoot, [9 / third, -12 / third, 0, 0, 8 / half, 15 / half],
      [3 / third, 6 / third, 3 / third, 6 / third, 3 / third, 6 / third]
        + [2 / half, 4 / half, 2 / half, 4 / half]
    ),
    // Weights 1, 2, 3 of 6, and 1, 2 of 3.
    (
      .weightedMean, [21.0 / 6, -20.0 / 6, 0, 0, 14.0 / 3, 22.0 / 3],
      [0.5, 1, 1, 2, 1.5, 3, 2.0 / 3, 4.0 / 3, 4.0 / 3, 8.0 / 3]
    ),
  ]

  @Test(arguments: expected)
  func forwardAndBackward(_ pooling: Pooling, _ vectors: [Double], _ gradient: [Double]) {
    var y = [Double](repeating: .nan, count: 6)
    pooling.forward(&y, hidden: Self.hidden, batch: Self.batch, width: 2)
    expectClose(y, vectors, absolute: 1e-15, "forward")
    var dHidden = [Double](repeating: .nan, count: 10)
    pooling.backward(
      dHidden: &dHidden, dy: [3, 6, 100, 100, 2, 4], hidden: Self.hidden, batch: Self.batch,
      width: 2)
    expectClose(dHidden, gradient, absolute: 1e-15, "backward")
  }

  @Test("tokens of a prompt are skipped; weights still count from the first token")
  func skipping() {
    let expected: [(Pooling, [Double])] = [
      (.cls, [4, -6, 0, 0, 6, 7]), (.mean, [4, -3.5, 0, 0, 6, 7]),
      (.weightedMean, [4, -3, 0, 0, 6, 7]), (.max, [4, -1, 0, 0, 6, 7]),
    ]
    for (pooling, vectors) in expected {
      var y = [Double](repeating: .nan, count: 6)
      pooling.forward(&y, hidden: Self.hidden, batch: Self.batch, width: 2, skipping: 1)
      expectClose(y, vectors, absolute: 1e-15, pooling.rawValue)
    }
    var y = [Double](repeating: .nan, count: 12)
    PoolingModes([.max, .cls]).forward(
      &y, hidden: Self.hidden, batch: Self.batch, width: 2, skipping: 2)
    expectClose(y, [4, -1, 4, -1, 0, 0, 0, 0, 0, 0, 0, 0], absolute: 0)
  }
}
