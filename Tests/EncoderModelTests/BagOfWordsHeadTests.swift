import EncoderModel
import Kernels
import TestSupport
import Testing

/// The bag-of-words head against PyTorch's cross-entropy with soft targets, see generate.py.
@Suite struct BagOfWordsHeadTests {
  @Test(arguments: GoldenCase.allCases, Precision.allCases)
  func lossAndGradients(_ model: GoldenCase, _ precision: Precision) throws {
    func check<S: KernelScalar>(_ type: S.Type, _ tolerance: Double) throws {
      let m = try GoldenModel<S>(model)
      var table = ParameterTable()
      let encoder = TextEncoder(m.encoder.configuration, in: &table)
      let head = BagOfWordsHead(encoder, in: &table)
      let (weights, gradients) = (ParameterStore<S>(table), ParameterStore<S>(table))
      let word = try #require(table["embeddings.word_embeddings.weight"])
      try weights.fill(word, m.golden, "weights/" + word.name)
      let own = table.entries.filter { $0.name.hasPrefix("bag_of_words.") }
      #expect(own.count == 3)
      for entry in own {
        try weights.fill(entry, m.golden, "bag/weights/" + entry.name.dropFirst(13))
      }
      var targets = BagOfWordsHead.Targets<S>()
      targets.offsets = try m.golden.integers("bag/offsets")
      targets.columns = try m.golden.integers("bag/columns")
      targets.weights = try m.golden.values("bag/values").map { S($0) }
      let pooled = try m.golden.values("pooled/mean").map { S($0) }
      var dPooled = [S](repeating: .nan, count: pooled.count)
      let loss = head.run(
        pooled: pooled, targets: targets, weights: weights, gradients: gradients,
        dPooled: &dPooled, gradientScale: 1, arena: m.arena)
      expectClose(loss, try m.golden.value("bag/loss"), relative: tolerance, "loss")
      expectTensor(
        dPooled, try m.golden.values("bag/gradients/pooled"), tolerance: tolerance, "pooled")
      expectTensor(
        gradients.array(word), try m.golden.values("bag/gradients/word"), tolerance: tolerance,
        "word")
      for entry in own {
        expectTensor(
          gradients.array(entry),
          try m.golden.values("bag/gradients/" + entry.name.dropFirst(13)), tolerance: tolerance,
          entry.name)
      }
    }
    switch precision {
    case .double: try check(Double.self, 1e-9)
    case .float: try check(Float.self, 1e-5)
    }
  }

  @Test func emptyBagsGiveNoLossAndNoGradient() {
    let model = SmallModel<Double>(seed: 14)
    var targets = BagOfWordsHead.Targets<Double>()
    targets.offsets = [0, 0, 0]
    let pooled = [Double](repeating: 1, count: 16)
    var dPooled = [Double](repeating: .nan, count: 16)
    let loss = model.bag.run(
      pooled: pooled, targets: targets, weights: model.weights, gradients: model.gradients,
      dPooled: &dPooled, gradientScale: 1, arena: model.arena)
    #expect(loss == 0)
    #expect(dPooled.allSatisfy { $0 == 0 })
    #expect(model.gradients.values.allSatisfy { $0 == 0 })
  }
}
