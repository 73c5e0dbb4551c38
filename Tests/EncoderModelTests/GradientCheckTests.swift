import EncoderModel
import Kernels
import TestSupport
import Testing

/// The whole model's gradients against central differences in Double: every weight of the encoder,
/// the adapters and both heads.
@Suite struct GradientCheckTests {
  /// What varies between the checks.
  struct Variant: CustomTestStringConvertible, Sendable {
    var activation = EncoderConfiguration.Activation.gelu
    var pooling = Pooling.mean
    var dropout = false
    var testDescription: String { "\(activation), \(pooling), dropout \(dropout)" }
  }

  static let variants = [
    Variant(), Variant(dropout: true), Variant(activation: .geluNew, pooling: .cls),
    Variant(activation: .geluTanh, pooling: .max, dropout: true),
    Variant(activation: .relu, pooling: .max),
  ]

  /// MLM loss + bag-of-words loss of the pooled vectors + a fixed projection of these.
  struct Loss {
    let model: SmallModel<Double>
    let variant: Variant
    let plan: DropoutPlan?
    let positions: [Int32] = [0, 3, 5, 8, 8, 15]
    let targets: [Int32] = [4, 10, 0, 7, 2, 7]
    let projection: [Double]
    let bag: BagOfWordsHead.Targets<Double>

    init(_ variant: Variant) {
      model = SmallModel(seed: 5, activation: variant.activation)
      self.variant = variant
      plan = variant.dropout ? DropoutPlan(hiddenRate: 0.2, attentionRate: 0.3, key: 99) : nil
      projection = (0..<32).map { Double(($0 * 7 + 3) % 11) / 5 - 1 }
      var bag = BagOfWordsHead.Targets<Double>()
      bag.offsets = [0, 2, 3, 6, 8]
      bag.columns = [1, 4, 9, 0, 3, 10, 2, 6]
      bag.weights = [0.25, 0.75, 1, 0.5, 0.125, 0.375, 0.5, 0.5]
      self.bag = bag
    }

    /// The loss; with `differentiate`, the model's gradient stores hold its gradients.
    func evaluate(differentiate: Bool) -> Double {
      let (arena, batch) = (model.arena, model.batch)
      let width = model.encoder.configuration.hiddenSize
      arena.reset()
      let gradients = differentiate ? model.gradients : nil
      let saved = model.encoder.forward(
        batch, weights: model.weights, adapters: model.stack, arena: arena, dropout: plan)
      let pooled = arena.take(batch.sequenceCount * width)
      let dPooled = arena.take(batch.sequenceCount * width)
      let dHidden = arena.take(model.count(batch))
      variant.pooling.forward(pooled, hidden: saved.output, batch: batch, width: width)
      var loss =
        model.bag.run(
          pooled: pooled, targets: bag, weights: model.weights, gradients: gradients,
          dPooled: dPooled, gradientScale: 0.5, arena: arena) * 0.5
      for i in projection.indices { loss += projection[i] * pooled[i] }
      if differentiate {
        for i in projection.indices { dPooled[i] += projection[i] }
        variant.pooling.backward(
          dHidden: dHidden, dy: dPooled, hidden: saved.output, batch: batch, width: width)
      }
      loss +=
        model.masked.run(
          hidden: saved.output, positions: positions, targets: targets, weights: model.weights,
          gradients: gradients, dHidden: dHidden, gradientScale: 0.25, arena: arena
        ).loss * 0.25
      if differentiate {
        model.encoder.backward(
          dOutput: dHidden, saved: saved, batch: batch, weights: model.weights,
          gradients: gradients, adapters: model.stack, adapterGradients: model.adapterGradients,
          arena: arena, dropout: plan)
      }
      return loss
    }

    /// (f(w + h) - f(w - h)) / 2h for every element of a store.
    func differences(_ store: ParameterStore<Double>, h: Double = 1e-5) -> [Double] {
      (0..<store.count).map { i in
        let value = store.base[i]
        store.base[i] = value + h
        let above = evaluate(differentiate: false)
        store.base[i] = value - h
        let below = evaluate(differentiate: false)
        store.base[i] = value
        return (above - below) / (2 * h)
      }
    }
  }

  @Test(arguments: variants)
  func everyWeight(_ variant: Variant) {
    let loss = Loss(variant)
    _ = loss.evaluate(differentiate: true)
    let pairs = [
      (loss.model.weights, loss.model.gradients),
      (loss.model.stack.weights, loss.model.adapterGradients),
    ]
    for (weights, gradients) in pairs {
      let numeric = loss.differences(weights)
      for entry in weights.table.entries {
        expectClose(
          gradients.array(entry), Array(numeric[entry.range]), absolute: 1e-6, relative: 1e-6,
          entry.name)
        let largest = gradients.array(entry).reduce(0) { max($0, abs($1)) }
        #expect(largest > 1e-3 || entry.name.hasSuffix("key.bias"), "\(entry.name): \(largest)")
      }
    }
  }
}
