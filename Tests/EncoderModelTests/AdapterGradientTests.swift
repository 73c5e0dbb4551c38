import EncoderModel
import Kernels
import TestSupport
import Testing

/// Every kind of adapter against central differences in Double, over a frozen base.
@Suite struct AdapterGradientTests {
  /// What varies between the checks.
  struct Variant: CustomTestStringConvertible, Sendable {
    let kind: AdapterKind
    /// Upper layers that are adapted, of three.
    let layers: Int
    var dropout = false
    var testDescription: String { "\(kind) in \(layers) layers, dropout \(dropout)" }
  }

  static let kinds = AdapterKind.allCases.filter { $0 != .none }
  static let variants =
    kinds.flatMap { [Variant(kind: $0, layers: 1), Variant(kind: $0, layers: 3)] }
    + [AdapterKind.houlsby, .parallel, .lora].map { Variant(kind: $0, layers: 2, dropout: true) }

  /// A small model with an adapter whose values are random; the loss projects the mean pooled vectors.
  struct Case {
    let model = SmallModel<Double>(seed: 23, layers: 3)
    let stack: AdapterStack<Double>
    let gradients: ParameterStore<Double>
    let plan: DropoutPlan?
    let projection: [Double]

    init(_ variant: Variant) throws {
      var generator = SplitMix64(29)
      let stack = try #require(
        AdapterStack(
          AdapterRecipe(
            kind: variant.kind, layers: variant.layers, bottleneck: 3, rank: 2, alpha: 3),
          encoder: model.encoder, base: model.weights, using: &generator))
      let noise = ParameterStore<Double>(stack.weights.table)
      Initialization.fillNormal(noise.values, deviation: 0.3, using: &generator)
      for i in 0..<noise.count { stack.weights.base[i] += noise.base[i] }
      stack.refresh()
      self.stack = stack
      gradients = ParameterStore(stack.weights.table)
      plan = variant.dropout ? DropoutPlan(hiddenRate: 0.2, attentionRate: 0.3, key: 7) : nil
      projection = randomVector(model.batch.sequenceCount * 8, seed: 31)
    }

    /// The states below the first adapted layer, from the base alone.
    func cached(_ first: Int) -> [Double] {
      model.arena.reset()
      let hidden = model.encoder.infer(
        model.batch, weights: model.weights, layers: 0..<first, arena: model.arena)
      return array(hidden, model.count(model.batch))
    }

    /// The loss; with `differentiate`, ``gradients`` hold its gradients.
    func evaluate(differentiate: Bool, from first: Int? = nil) -> Double {
      let (batch, width, arena) = (model.batch, 8, model.arena)
      let states = first.map { cached($0) }
      arena.reset()
      let saved: TextEncoder.Saved<Double>
      if let first, let states {
        let hidden = arena.take(states.count)
        hidden.update(from: states, count: states.count)
        saved = model.encoder.forward(
          from: first, hidden: hidden, batch: batch, weights: model.weights, adapters: stack,
          arena: arena, dropout: plan)
      } else {
        saved = model.encoder.forward(
          batch, weights: model.weights, adapters: stack, arena: arena, dropout: plan)
      }
      let pooled = arena.take(batch.sequenceCount * width)
      Pooling.mean.forward(pooled, hidden: saved.output, batch: batch, width: width)
      let loss = GradientCheck.project(
        array(pooled, batch.sequenceCount * width), on: projection)
      guard differentiate else { return loss }
      gradients.zero()
      let dOutput = arena.take(model.count(batch))
      Pooling.mean.backward(
        dHidden: dOutput, dy: projection, hidden: saved.output, batch: batch, width: width)
      model.encoder.backward(
        dOutput: dOutput, saved: saved, batch: batch, weights: model.weights, gradients: nil,
        adapters: stack, adapterGradients: gradients, arena: arena, dropout: plan)
      return loss
    }
  }

  @Test(arguments: variants)
  func everyWeight(_ variant: Variant) throws {
    let test = try Case(variant)
    _ = test.evaluate(differentiate: true)
    let found = Array(test.gradients.values)
    let weights = test.stack.weights
    for entry in weights.table.entries {
      var numeric: [Double] = []
      for i in entry.range {
        let value = weights.base[i]
        func loss(_ moved: Double) -> Double {
          weights.base[i] = moved
          test.stack.refresh()
          return test.evaluate(differentiate: false)
        }
        let (above, below) = (loss(value + 1e-5), loss(value - 1e-5))
        weights.base[i] = value
        numeric.append((above - below) / 2e-5)
      }
      test.stack.refresh()
      let gradient = Array(found[entry.range])
      expectClose(gradient, numeric, absolute: 1e-6, relative: 1e-6, entry.name)
      let largest = gradient.reduce(0) { max($0, abs($1)) }
      // The heads of pretraining are no part of the loss.
      if entry.name.hasPrefix("cls.") || entry.name.hasPrefix("bag_of_words.") { continue }
      // A bias of all keys moves no attention probability.
      #expect(largest > 1e-4 || entry.name.hasSuffix("key.bias"), "\(entry.name): \(largest)")
    }
  }

  @Test(
    "Cached states below the first adapted layer give the same loss and gradients",
    arguments: variants.filter { !$0.dropout })
  func cachedLayers(_ variant: Variant) throws {
    let test = try Case(variant)
    let first = test.stack.firstLayer(of: test.model.encoder)
    #expect(first == (variant.kind == .full ? 0 : 3 - variant.layers))
    let embeddingsLearn = variant.kind == .full || (variant.kind == .bitfit && variant.layers == 3)
    #expect(test.stack.changesEmbeddings == embeddingsLearn)
    let loss = test.evaluate(differentiate: true)
    let expected = Array(test.gradients.values)
    if embeddingsLearn {
      // The base's embeddings aren't the adapter's: there is nothing to cache.
      #expect(abs(test.evaluate(differentiate: false, from: 0) - loss) > 1e-6)
      return
    }
    #expect(test.evaluate(differentiate: true, from: first) == loss)
    #expect(Array(test.gradients.values) == expected)
  }

  @Test("A new adapter changes nothing, and its base is never written to", arguments: kinds)
  func newAdapter(_ kind: AdapterKind) throws {
    let model = SmallModel<Double>(seed: 37, layers: 3)
    let before = Array(model.weights.values)
    let plain = model.infer(model.batch, adapted: false)
    var generator = SplitMix64(41)
    let stack = try #require(
      AdapterStack(
        AdapterRecipe(kind: kind, layers: 2, bottleneck: 3, rank: 2), encoder: model.encoder,
        base: model.weights, using: &generator))
    func run(_ stack: AdapterStack<Double>) -> [Double] {
      model.arena.reset()
      return array(
        model.encoder.infer(
          model.batch, weights: model.weights, adapters: stack, arena: model.arena),
        model.count(model.batch))
    }
    expectClose(run(stack), plain, absolute: 1e-13)
    // Varied numbers: LayerNorm would remove a constant.
    for i in 0..<stack.weights.count { stack.weights.base[i] += 0.1 * Double(i % 7 - 3) }
    stack.refresh()
    let changed = run(stack)
    #expect(zip(changed, plain).contains { abs($0 - $1) > 1e-3 })
    #expect(Array(model.weights.values) == before)
    // Another store under the same table is another adapter.
    let copy = ParameterStore<Double>(stack.weights.table)
    copy.copy(from: stack.weights)
    let other = stack.with(weights: copy)
    #expect(run(other) == changed)
    #expect(stack.hasBottlenecks == !kind.isMergeable)
    if kind.isMergeable {
      let merged = try stack.merged(into: model.weights)
      model.arena.reset()
      let result = model.encoder.infer(model.batch, weights: merged, arena: model.arena)
      expectClose(array(result, model.count(model.batch)), changed, absolute: 1e-12)
    }
  }

  @Test func noneIsNoAdapter() {
    let model = SmallModel<Double>()
    var generator = SplitMix64(1)
    let stack = AdapterStack(
      AdapterRecipe(kind: .none), encoder: model.encoder, base: model.weights, using: &generator)
    #expect(stack == nil)
  }
}
