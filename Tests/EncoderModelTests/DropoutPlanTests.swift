import EncoderModel
import Kernels
import TestSupport
import Testing

/// Dropout as the model applies it.
@Suite struct DropoutPlanTests {
  @Test func ratesOfZeroAreNoPlan() {
    #expect(DropoutPlan(hiddenRate: 0, attentionRate: 0, key: 1) == nil)
    #expect(DropoutPlan(hiddenRate: 0.1, attentionRate: 0, key: 1) != nil)
    #expect(DropoutPlan(hiddenRate: 0, attentionRate: 0.1, key: 1) != nil)
  }

  @Test func withoutAPlanTrainingIsDeterministic() {
    let model = SmallModel<Float>(seed: 15)
    #expect(model.forward(model.batch) == model.forward(model.batch))
  }

  @Test(arguments: [(0.1, 0.0), (0.0, 0.1), (0.2, 0.3)])
  func aKeyDecidesTheMasks(_ hidden: Double, _ attention: Double) {
    let model = SmallModel<Float>(seed: 16)
    func run(_ key: UInt64) -> [Float] {
      model.forward(
        model.batch,
        dropout: DropoutPlan(hiddenRate: hidden, attentionRate: attention, key: key))
    }
    #expect(run(1) == run(1))
    #expect(run(1) != run(2))
    #expect(run(1) != model.forward(model.batch))
  }

  /// Each rate alone and both, so that no place hides behind another.
  @Test(
    arguments: [(0.0, 0.0), (0.4, 0.0), (0.0, 0.4), (0.3, 0.2)], [false, true])
  func dropoutIsWhereTheReferenceHasIt(_ rates: (Double, Double), _ adapted: Bool) {
    let model = SmallModel<Double>(seed: 18)
    for key in 1...3 as ClosedRange<UInt64> {
      let plan = DropoutPlan(hiddenRate: rates.0, attentionRate: rates.1, key: key)
      let reference = ReferenceEncoder(
        weights: model.weights, adapters: adapted ? model.stack.weights : nil,
        configuration: model.encoder.configuration, plan: plan)
      expectClose(
        model.forward(model.batch, adapted: adapted, dropout: plan), reference.run(model.batch),
        absolute: 1e-12, "key \(key)")
    }
  }

  /// Without layers the output is the embedding block's: kept elements are scaled by 1 / (1 - rate).
  @Test func embeddingsKeepTheirExpectation() throws {
    let lengths = [Int](repeating: 8, count: 60)
    let model = SmallModel<Float>(seed: 17, layers: 0, lengths: lengths)
    let plain = model.forward(model.batch)
    let plan = try #require(DropoutPlan(hiddenRate: 0.25, attentionRate: 0, key: 3))
    let dropped = model.forward(model.batch, dropout: plan)
    var zeros = 0
    for (a, b) in zip(dropped, plain) {
      if a == 0 { zeros += 1 } else { expectClose(a, b / 0.75, relative: 1e-6) }
    }
    // 3,840 draws: the share's standard deviation is 0.007.
    expectClose(Double(zeros) / Double(plain.count), 0.25, absolute: 0.028)
  }

  /// Each place has a mask of its own: with equal layers, equal masks would drop equal elements.
  @Test func layersAndPlacesDiffer() throws {
    let plan = try #require(DropoutPlan(hiddenRate: 0.5, attentionRate: 0.5, key: 4))
    let keys = (0..<12).flatMap { layer in
      DropoutPlan.Site.allCases.compactMap { plan.dropout($0, layer: layer)?.key }
    }
    #expect(keys.count == 48)
    #expect(Set(keys).count == 48)
    let other = try #require(DropoutPlan(hiddenRate: 0.5, attentionRate: 0.5, key: 5))
    #expect(other.dropout(.embeddings, layer: 0)?.key != keys[0])
  }
}
