import EncoderModel
import Kernels
import TestSupport
import Testing

/// Forward values against PyTorch, see Goldens/model/generate.py.
@Suite struct TorchForwardTests {
  @Test(arguments: GoldenCase.allCases, Precision.allCases)
  func hiddenStatesOfEachLayer(_ model: GoldenCase, _ precision: Precision) throws {
    func check<S: KernelScalar>(_ type: S.Type, _ tolerance: Double) throws {
      let m = try GoldenModel<S>(model)
      let count = m.batch.tokenCount * m.width
      for layer in 0...2 {
        m.arena.reset()
        let hidden = m.encoder.infer(
          m.batch, weights: m.weights, layers: 0..<layer, arena: m.arena)
        expectTensor(
          array(hidden, count), try m.golden.values("hidden/\(layer)"), tolerance: tolerance,
          "hidden/\(layer)")
      }
    }
    switch precision {
    case .double: try check(Double.self, 1e-9)
    case .float: try check(Float.self, 1e-5)
    }
  }

  @Test(arguments: GoldenCase.allCases, Precision.allCases)
  func logitsLossAndHits(_ model: GoldenCase, _ precision: Precision) throws {
    func check<S: KernelScalar>(_ type: S.Type, _ tolerance: Double) throws {
      let m = try GoldenModel<S>(model)
      let saved = m.encoder.forward(m.batch, weights: m.weights, arena: m.arena, dropout: nil)
      let classes = m.encoder.configuration.vocabularySize
      let logits = m.head.logits(
        hidden: saved.output, positions: m.masked, weights: m.weights, arena: m.arena)
      let expected = try m.golden.values("logits")
      expectTensor(
        array(logits, m.masked.count * classes), expected, tolerance: tolerance, "logits")

      let outcome = m.head.run(
        hidden: saved.output, positions: m.masked, targets: m.targets, weights: m.weights,
        gradients: nil, dHidden: nil, gradientScale: 1, arena: m.arena)
      expectClose(
        outcome.loss / Double(m.masked.count), try m.golden.value("loss"), relative: tolerance)
      let hits = m.targets.indices.filter { row in
        let best = (0..<classes).max { expected[row * classes + $0] < expected[row * classes + $1] }
        return best == Int(m.targets[row])
      }
      #expect(outcome.correct == hits.count)

      // The targets are random, so most miss: the most probable tokens must all hit.
      let likeliest = m.targets.indices.map { row in
        Int32(
          (0..<classes).max { expected[row * classes + $0] < expected[row * classes + $1] } ?? 0)
      }
      let best = m.head.run(
        hidden: saved.output, positions: m.masked, targets: likeliest, weights: m.weights,
        gradients: nil, dHidden: nil, gradientScale: 1, arena: m.arena)
      #expect(best.correct == m.masked.count)
    }
    switch precision {
    case .double: try check(Double.self, 1e-9)
    case .float: try check(Float.self, 1e-5)
    }
  }

  @Test(arguments: [Pooling.mean, .cls, .max], Precision.allCases)
  func pooledVectors(_ pooling: Pooling, _ precision: Precision) throws {
    func check<S: KernelScalar>(_ type: S.Type, _ tolerance: Double) throws {
      let m = try GoldenModel<S>(.gelu)
      let hidden = m.encoder.infer(m.batch, weights: m.weights, arena: m.arena)
      let pooled = m.arena.take(m.batch.sequenceCount * m.width)
      pooling.forward(pooled, hidden: hidden, batch: m.batch, width: m.width)
      expectTensor(
        array(pooled, m.batch.sequenceCount * m.width),
        try m.golden.values("pooled/\(pooling.rawValue)"), tolerance: tolerance, "\(pooling)")
    }
    switch precision {
    case .double: try check(Double.self, 1e-9)
    case .float: try check(Float.self, 1e-5)
    }
  }

  @Test func tableHoldsExactlyTheNamesOfTransformers() throws {
    let m = try GoldenModel<Float>(.gelu)
    #expect(m.weights.table.entries.map(\.name).sorted() == m.golden.names("weights/"))
  }
}
