import Foundation
import Kernels
import TestSupport
import Testing
import Training

/// Against PyTorch (Tests/Goldens/training/generate_crops.py) and finite differences.
@Suite("Contrast of crops")
struct CropContrastTests {
  private struct Golden: Decodable {
    let pairs: [Int32]
    let width: Int
    let temperature: Double
    let scale: Double
    let pooled: [Double]
    let loss: Double
    let correct: Int
    let gradient: [Double]
  }

  private let golden: Golden

  init() throws {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Goldens/training/crops.json")
    golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url))
  }

  private func run<S: KernelScalar>(
    _ pooled: [S], pairs: [Int32]? = nil, start: S = 0, hasGradient: Bool = true
  ) -> (loss: Double, correct: Int, gradient: [S]) {
    var (pooled, gradient) = (pooled, [S](repeating: start, count: pooled.count))
    let outcome = pooled.withUnsafeMutableBufferPointer { pooled in
      gradient.withUnsafeMutableBufferPointer { gradient in
        pooled.baseAddress.map { base in
          CropContrast(temperature: golden.temperature).run(
            pooled: base, pairs: pairs ?? golden.pairs, width: golden.width,
            dPooled: hasGradient ? gradient.baseAddress : nil, gradientScale: S(golden.scale),
            arena: Arena<S>())
        }
      }
    }
    return (outcome?.loss ?? .nan, outcome?.correct ?? -1, gradient)
  }

  @Test("loss, hits and gradient are PyTorch's")
  func torch() {
    let exact = run(golden.pooled)
    expectClose(exact.loss, golden.loss, relative: 1e-12, "loss")
    #expect(exact.correct == golden.correct)
    expectClose(exact.gradient, golden.gradient, absolute: 1e-12, "gradient")
    let single = run(golden.pooled.map(Float.init))
    expectClose(single.loss, golden.loss, relative: 1e-5, "loss in single precision")
    expectClose(
      single.gradient.map(Double.init), golden.gradient, absolute: 1e-5, relative: 1e-5,
      "gradient in single precision")
  }

  @Test("the gradient is the derivative of the loss, and is added to what is there")
  func derivative() {
    let run = run(golden.pooled, start: 2)
    GradientCheck(step: 1e-6).expect(
      "pooled", input: golden.pooled, gradient: run.gradient.map { $0 - 2 }
    ) { self.run($0).loss * golden.scale }
  }

  @Test("without a gradient the loss is the same; one pair alone can't be missed; none is no loss")
  func edges() {
    let measured = run(golden.pooled, hasGradient: false)
    #expect(measured.loss == run(golden.pooled).loss)
    #expect(measured.gradient.allSatisfy { $0 == 0 })
    let alone = run(golden.pooled, pairs: [3])
    #expect(abs(alone.loss) < 1e-12 && alone.correct == 1)
    #expect(alone.gradient.allSatisfy { abs($0) < 1e-12 })
    let none = run(golden.pooled, pairs: [])
    #expect(none.loss == 0 && none.correct == 0 && none.gradient.allSatisfy { $0 == 0 })
  }
}
