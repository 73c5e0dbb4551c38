import EncoderModel
import Kernels
import TestSupport
import Testing

/// Gradients and ten steps of training against PyTorch, see Goldens/model/generate.py.
@Suite struct TorchGradientTests {
  @Test(arguments: GoldenCase.allCases, Precision.allCases)
  func gradientOfEveryParameter(_ model: GoldenCase, _ precision: Precision) throws {
    func check<S: KernelScalar>(_ type: S.Type, _ tolerance: Double) throws {
      let m = try GoldenModel<S>(model)
      expectClose(m.run().loss, try m.golden.value("loss"), relative: tolerance, "loss")
      for entry in m.gradients.table.entries {
        expectTensor(
          m.gradients.array(entry), try m.golden.values("gradients/" + entry.name),
          tolerance: tolerance, entry.name)
      }
    }
    switch precision {
    case .double: try check(Double.self, 1e-9)
    case .float: try check(Float.self, 1e-5)
    }
  }

  @Test func everyTensorGetsAGradient() throws {
    let m = try GoldenModel<Double>(.gelu)
    _ = m.run()
    for entry in m.gradients.table.entries {
      let rows = m.gradients.array(entry)
      let largest = rows.reduce(0) { max($0, abs($1)) }
      if entry.name.hasSuffix("key.bias") {
        // It adds the same number to all scores of a query, which softmax ignores.
        #expect(largest < 1e-12, "\(entry.name)")
      } else {
        #expect(largest > 1e-4, "\(entry.name)")
      }
    }
  }

  @Test func everyRowOfTheTablesGetsAGradient() throws {
    let m = try GoldenModel<Double>(.gelu)
    _ = m.run()
    // The decoder reaches every word; the longest sequence has all 24 positions.
    for name in ["word", "position", "token_type"] {
      let entry = try #require(m.gradients.table["embeddings.\(name)_embeddings.weight"])
      let values = m.gradients.array(entry)
      for row in 0..<entry.shape[0] {
        let slice = values[(row * m.width)..<((row + 1) * m.width)]
        #expect(slice.contains { abs($0) > 1e-6 }, "\(entry.name), row \(row)")
      }
    }
  }

  @Test func backwardAddsToGradients() throws {
    let m = try GoldenModel<Double>(.geluNew)
    _ = m.run()
    let once = Array(m.gradients.values)
    let saved = m.encoder.forward(m.batch, weights: m.weights, arena: m.arena, dropout: nil)
    let dHidden = m.arena.take(m.batch.tokenCount * m.width)
    dHidden.update(repeating: 0, count: m.batch.tokenCount * m.width)
    _ = m.head.run(
      hidden: saved.output, positions: m.masked, targets: m.targets, weights: m.weights,
      gradients: m.gradients, dHidden: dHidden, gradientScale: 2 / Double(m.masked.count),
      arena: m.arena)
    m.encoder.backward(
      dOutput: dHidden, saved: saved, batch: m.batch, weights: m.weights, gradients: m.gradients,
      arena: m.arena, dropout: nil)
    expectClose(Array(m.gradients.values), once.map { 3 * $0 }, absolute: 1e-12, relative: 1e-12)
  }

  @Test(arguments: GoldenCase.allCases, Precision.allCases)
  func tenStepsOfAdamW(_ model: GoldenCase, _ precision: Precision) throws {
    func check<S: KernelScalar>(_ type: S.Type, _ tolerance: Double) throws {
      let m = try GoldenModel<S>(model)
      let table = m.weights.table
      let (first, second) = (ParameterStore<S>(table), ParameterStore<S>(table))
      var (losses, norms): ([Double], [Double]) = ([], [])
      for step in 1...10 {
        losses.append(m.run().loss)
        let squares = Reduction.sumOfSquares(m.gradients.base, count: m.gradients.count)
        norms.append(squares.squareRoot())
        let scale = min(1, 1 / (squares.squareRoot() + 1e-6))
        for entry in table.entries {
          AdamW.step(
            parameters: m.weights[entry], gradients: m.gradients[entry], first: first[entry],
            second: second[entry], count: entry.count,
            configuration: AdamWConfiguration(learningRate: 1e-3, weightDecay: 0.01),
            learningRate: 1e-3, step: step, decay: entry.decays, gradientScale: S(scale))
        }
      }
      expectClose(losses, try m.golden.values("losses"), relative: tolerance, "losses")
      expectClose(norms, try m.golden.values("norms"), relative: tolerance, "norms")
      let trained = m.golden.names("final/")
      #expect(trained.count == (model == .gelu ? table.entries.count : 0))
      // Adam divides by the gradient's size: where that is rounding alone, so is the step.
      for name in trained where S.self == Double.self || !name.hasSuffix("key.bias") {
        let entry = try #require(table[name])
        expectTensor(
          m.weights.array(entry), try m.golden.values("final/" + name), tolerance: tolerance, name)
      }
    }
    switch precision {
    case .double: try check(Double.self, 1e-9)
    case .float: try check(Float.self, 1e-5)
    }
  }
}
