import EncoderModel
import Kernels
import Recommendation
import TestSupport
import Testing

@Suite struct ItemsPoolingTests {
  private let arena = Arena<Float>()

  init() { BLAS.useSingleThread() }

  @Test func frequenciesCountTexts() {
    // Piece 3 in both texts, 4 in one (twice), 5 in none; 1 and 2 are special.
    let pooling = TokenPooling(
      sequences: [[1, 3, 4, 4, 2], [1, 3, 2]], vocabularySize: 6, isSpecial: { $0 < 3 })
    let expected: [Double] = [0, 0, 0, 0, .log(3.0 / 2), .log(3)]
    expectClose(
      pooling.inverseDocumentFrequencies.map { Double($0) }, expected, absolute: 1e-6)
  }

  private func pooled(
    _ pooling: TokenPooling, _ hidden: [Float], _ batch: PackedBatch, width: Int
  ) -> [Float] {
    arena.reset()
    let y = arena.take(batch.sequenceCount * 2 * width)
    _ = pooling.forward(
      y, hidden: TestBuffer(hidden).pointer, batch: batch, width: width, arena: arena)
    return Array(UnsafeBufferPointer(start: y, count: batch.sequenceCount * 2 * width))
  }

  @Test func halvesByHand() {
    let pooling = TokenPooling(inverseDocumentFrequencies: [0, 1, 3])
    // Text 1: weights 1/4 and 3/4; text 2 has no weight, so its halves are equal.
    let batch = PackedBatch([[1, 2, 0], [0, 0]])
    let hidden: [Float] = [4, 0, 0, 4, 8, 8, 3, 0, 0, 1]
    let found = pooled(pooling, hidden, batch, width: 2)
    func unit(_ x: Float, _ y: Float) -> [Float] {
      [x / (x * x + y * y).squareRoot(), y / (x * x + y * y).squareRoot()]
    }
    expectClose(
      found, unit(12, 12) + unit(1, 3) + unit(3, 1) + unit(3, 1), absolute: 1e-6)
  }

  @Test("The gradient of token states along random directions")
  func backward() {
    let pooling = TokenPooling(inverseDocumentFrequencies: [0, 0.7, 1.4, 2.5])
    let batch = PackedBatch([[1, 2, 3, 1], [3], [0, 0, 0]])
    let (width, count) = (6, 8 * 6)
    let hidden = randomVector(count, seed: 1).map { Float($0) }
    let projection = randomVector(3 * 12, seed: 2)
    arena.reset()
    let y = arena.take(36)
    let saved = pooling.forward(
      y, hidden: TestBuffer(hidden).pointer, batch: batch, width: width, arena: arena)
    let dHidden = TestBuffer<Float>(zeros: count)
    pooling.backward(
      dHidden: dHidden.pointer, dy: TestBuffer(projection.map { Float($0) }).pointer,
      saved: saved, batch: batch, width: width)
    for seed in 10..<16 as Range<UInt64> {
      let direction = randomVector(count, seed: seed)
      func loss(_ step: Double) -> Double {
        let moved = zip(hidden, direction).map { Float(Double($0) + step * $1) }
        return GradientCheck.project(
          pooled(pooling, moved, batch, width: width).map { Double($0) }, on: projection)
      }
      let slope = GradientCheck.project(dHidden.values.map { Double($0) }, on: direction)
      expectClose(slope, (loss(1e-2) - loss(-1e-2)) / 2e-2, absolute: 1e-2, "direction \(seed)")
    }
  }
}
