import EncoderModel
import Kernels
import TestSupport
import Testing
import Training

@Suite("Optimizer")
struct OptimizerTests {
  private let configuration = AdamWConfiguration(
    beta1: 0.9, beta2: 0.98, epsilon: 1e-6, weightDecay: 0.1)

  /// A matrix that decays, a bias and a LayerNorm that don't, and a frozen matrix.
  private func table() -> ParameterTable {
    var table = ParameterTable()
    _ = table.declare("a.weight", 5, 3)
    _ = table.declare("a.bias", 3)
    _ = table.declare("frozen.weight", 2, 2)
    _ = table.declare("x.LayerNorm.weight", 4)
    table.setTrainable { !$0.hasPrefix("frozen") }
    return table
  }

  private func store() -> ParameterStore<Float> {
    let store = ParameterStore<Float>(table())
    for (i, value) in randomVector(store.count, seed: 1).enumerated() {
      store.base[i] = Float(value)
    }
    return store
  }

  /// Gradients of a step in multiples of 2^-10, so that sums of their parts are exact in Float.
  private func gradient(_ step: Int, count: Int) -> [Double] {
    let scale = [1.0, 0.05, 4.0][step % 3]
    return randomVector(count, seed: UInt64(step + 10), scale: scale).map {
      ($0 * 1024).rounded() / 1024
    }
  }

  /// Gives each worker a part: 1/4, 1/2 and the rest, or whatever there are workers for.
  private func fill(_ optimizer: Optimizer, _ gradient: [Double]) {
    for (i, value) in gradient.enumerated() {
      var rest = value
      for (worker, store) in optimizer.gradients.enumerated().dropFirst() {
        let part = (value * (worker == 1 ? 256 : 512)).rounded() / 1024
        store.base[i] = Float(part)
        rest -= part
      }
      optimizer.gradients[0].base[i] = Float(rest)
    }
  }

  private func run(workers: Int, clipNorm: Double?, steps: Int = 6) -> (Optimizer, [Double]) {
    let optimizer = Optimizer(
      weights: store(), configuration: configuration, clipNorm: clipNorm,
      workers: Workers(count: workers))
    let norms = (0..<steps).map { step in
      fill(optimizer, gradient(step, count: optimizer.weights.count))
      return optimizer.step(learningRate: 0.01 * Double(step + 1))
    }
    return (optimizer, norms)
  }

  /// AdamW and clipping in Double, as PyTorch's `clip_grad_norm_` and `AdamW` define them.
  private func reference(clipNorm: Double?, steps: Int = 6) -> (values: [Double], norms: [Double]) {
    let start = store()
    var p = start.values.map(Double.init)
    var (m, v) = ([Double](repeating: 0, count: p.count), [Double](repeating: 0, count: p.count))
    var norms: [Double] = []
    // a.weight 0...14, a.bias 15...17, frozen 18...21, LayerNorm 22...25
    let trained = Array(0..<18) + Array(22..<26)
    var (power1, power2) = (1.0, 1.0)
    for step in 0..<steps {
      let g = gradient(step, count: p.count)
      let norm = trained.reduce(0) { $0 + g[$1] * g[$1] }.squareRoot()
      norms.append(norm)
      let factor = clipNorm.map { min(1, $0 / (norm + 1e-6)) } ?? 1
      let rate = 0.01 * Double(step + 1)
      (power1, power2) = (power1 * 0.9, power2 * 0.98)
      for i in trained {
        if i < 15 { p[i] *= 1 - rate * 0.1 }
        m[i] += 0.1 * (g[i] * factor - m[i])
        v[i] += 0.02 * (g[i] * factor * g[i] * factor - v[i])
        let corrected = (m[i] / (1 - power1), v[i] / (1 - power2))
        p[i] -= rate * corrected.0 / (corrected.1.squareRoot() + 1e-6)
      }
    }
    return (p, norms)
  }

  @Test("six steps of AdamW in Double", arguments: [nil, 1.0, 100.0])
  func matchesReference(clipNorm: Double?) {
    let (optimizer, norms) = run(workers: 1, clipNorm: clipNorm)
    let expected = reference(clipNorm: clipNorm)
    expectClose(norms, expected.norms, relative: 1e-6, "norms")
    expectClose(
      optimizer.weights.values.map(Double.init), expected.values, absolute: 2e-6, relative: 2e-6,
      "weights")
    #expect(optimizer.stepCount == 6)
    // Clipping at 1 matters here: some norms are above it and some below.
    #expect(expected.norms.contains { $0 > 1 } && expected.norms.contains { $0 < 1 })
  }

  @Test("frozen weights and their moments stay; all gradients are zero afterwards")
  func frozen() {
    let (optimizer, _) = run(workers: 2, clipNorm: 1)
    let before = store()
    for i in 18..<22 {
      #expect(optimizer.weights.base[i] == before.base[i])
      #expect(optimizer.first.base[i] == 0 && optimizer.second.base[i] == 0)
    }
    for gradients in optimizer.gradients { #expect(gradients.values.allSatisfy { $0 == 0 }) }
  }

  @Test("the same gradients split between workers give the same bits", arguments: [2, 3])
  func workers(count: Int) {
    let (one, oneNorms) = run(workers: 1, clipNorm: 1)
    let (many, manyNorms) = run(workers: count, clipNorm: 1)
    #expect(oneNorms == manyNorms)
    #expect(one.weights.values.elementsEqual(many.weights.values))
    #expect(one.first.values.elementsEqual(many.first.values))
    #expect(one.second.values.elementsEqual(many.second.values))
  }

  @Test("a gradient that isn't finite changes nothing", arguments: [Float.nan, .infinity])
  func notFinite(value: Float) {
    let (optimizer, _) = run(workers: 2, clipNorm: 1)
    let weights = Array(optimizer.weights.values)
    let first = Array(optimizer.first.values)
    optimizer.gradients[1].base[2] = value
    #expect(!optimizer.step(learningRate: 0.1).isFinite)
    #expect(optimizer.weights.values.elementsEqual(weights))
    #expect(optimizer.first.values.elementsEqual(first))
    #expect(optimizer.stepCount == 6)
    #expect(optimizer.gradients[1].base[2] == 0)
  }
}
