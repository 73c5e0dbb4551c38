import EncoderModel
import Kernels
import TestSupport
import Testing

/// Bottleneck adapters against AdapterHub's library, see Goldens/model/generate_adapter.py.
@Suite struct AdapterGoldenTests {
  /// Which layers have an adapter.
  enum Placement: String, CaseIterable, CustomTestStringConvertible {
    case both, last
    var testDescription: String { rawValue }
  }

  /// The golden base model with `seq_bn` adapters; the loss is sum(mean pooled * projection).
  final class Model<S: KernelScalar> {
    let base: GoldenModel<S>
    let golden: GoldenTensors
    let stack: AdapterStack<S>
    let gradients: ParameterStore<S>
    let projection: [S]

    init(_ placement: Placement) throws {
      let base = try GoldenModel<S>(.gelu)
      self.base = base
      golden = try GoldenTensors("adapter")
      var table = ParameterTable()
      let adapters = (0..<2).map { layer in
        placement == .last && layer == 0
          ? nil
          : BottleneckAdapter(
            name: "item", layer: layer, width: base.width, bottleneck: 4, in: &table)
      }
      let store = ParameterStore<S>(table)
      for entry in table.entries {
        try store.fill(entry, golden, "\(placement.rawValue)/weights/" + entry.name)
      }
      stack = AdapterStack(adapters: adapters, weights: store)
      gradients = ParameterStore(table)
      projection = try golden.values("projection").map { S($0) }
    }

    /// Runs forward and backward from layer `first`; a frozen base gets no gradient.
    func run(frozen: Bool, from first: Int = 0) -> [S] {
      let (batch, width, arena) = (base.batch, base.width, base.arena)
      arena.reset()
      base.gradients.zero()
      gradients.zero()
      let saved: TextEncoder.Saved<S>
      if first == 0 {
        saved = base.encoder.forward(
          batch, weights: base.weights, adapters: stack, arena: arena, dropout: nil)
      } else {
        let hidden = base.encoder.infer(
          batch, weights: base.weights, layers: 0..<first, arena: arena)
        saved = base.encoder.forward(
          from: first, hidden: hidden, batch: batch, weights: base.weights, adapters: stack,
          arena: arena, dropout: nil)
      }
      let output = array(saved.output, batch.tokenCount * width)
      let dOutput = arena.take(batch.tokenCount * width)
      Pooling.mean.backward(
        dHidden: dOutput, dy: projection, hidden: saved.output, batch: batch, width: width)
      base.encoder.backward(
        dOutput: dOutput, saved: saved, batch: batch, weights: base.weights,
        gradients: frozen ? nil : base.gradients, adapters: stack, adapterGradients: gradients,
        arena: arena, dropout: nil)
      return output
    }
  }

  @Test(arguments: Placement.allCases, Precision.allCases)
  func outputAndGradients(_ placement: Placement, _ precision: Precision) throws {
    func check<S: KernelScalar>(_ type: S.Type, _ tolerance: Double) throws {
      let m = try Model<S>(placement)
      let scope = placement.rawValue
      expectTensor(
        m.run(frozen: false), try m.golden.values(scope + "/hidden"), tolerance: tolerance,
        "hidden")
      var compared = 0
      for store in [m.gradients, m.base.gradients] {
        for entry in store.table.entries where !entry.name.hasPrefix("cls.") {
          expectTensor(
            store.array(entry), try m.golden.values("\(scope)/gradients/" + entry.name),
            tolerance: tolerance, entry.name)
          compared += 1
        }
      }
      #expect(compared == m.golden.names(scope + "/gradients/").count)
    }
    switch precision {
    case .double: try check(Double.self, 1e-9)
    case .float: try check(Float.self, 1e-5)
    }
  }

  @Test(arguments: Placement.allCases)
  func frozenBaseGivesTheSameAdapterGradients(_ placement: Placement) throws {
    let m = try Model<Float>(placement)
    _ = m.run(frozen: false)
    let expected = Array(m.gradients.values)
    #expect(!m.base.gradients.values.allSatisfy { $0 == 0 })
    _ = m.run(frozen: true)
    #expect(Array(m.gradients.values) == expected)
    #expect(m.base.gradients.values.allSatisfy { $0 == 0 })
  }

  @Test func cachedLowerLayersGiveTheSameAdapterGradients() throws {
    let m = try Model<Float>(.last)
    let output = m.run(frozen: true)
    let expected = Array(m.gradients.values)
    #expect(!expected.allSatisfy { $0 == 0 })
    #expect(m.run(frozen: true, from: 1) == output)
    #expect(Array(m.gradients.values) == expected)
  }

  /// The pass may start above an adapter, and layers between two adapters may have none.
  @Test func gradientsOfAdaptersBelowTheFirstLayerStayZero() {
    let model = SmallModel<Double>(seed: 19, layers: 4)
    let stack = AdapterStack(
      adapters: [model.stack.adapters[0], nil, nil, model.stack.adapters[3]],
      weights: model.stack.weights)
    let hidden = model.encoder.infer(
      model.batch, weights: model.weights, adapters: stack, layers: 0..<1, arena: model.arena)
    func run(frozen: Bool) -> [Double] {
      model.adapterGradients.zero()
      let saved = model.encoder.forward(
        from: 1, hidden: hidden, batch: model.batch, weights: model.weights, adapters: stack,
        arena: model.arena, dropout: nil)
      var dOutput = (0..<model.count(model.batch)).map { Double($0 % 7) - 3 }
      model.encoder.backward(
        dOutput: &dOutput, saved: saved, batch: model.batch, weights: model.weights,
        gradients: frozen ? nil : model.gradients, adapters: stack,
        adapterGradients: model.adapterGradients, arena: model.arena, dropout: nil)
      return Array(model.adapterGradients.values)
    }
    let gradients = run(frozen: true)
    #expect(gradients == run(frozen: false))
    for entry in model.adapterGradients.table.entries {
      let largest = gradients[entry.range].reduce(0) { max($0, abs($1)) }
      #expect((largest > 1e-6) == entry.name.hasPrefix("encoder.layer.3."), "\(entry.name)")
    }
  }

  @Test(arguments: Placement.allCases)
  func everyAdapterTensorGetsAGradient(_ placement: Placement) throws {
    let m = try Model<Double>(placement)
    _ = m.run(frozen: true)
    for entry in m.gradients.table.entries {
      #expect(m.gradients.array(entry).contains { abs($0) > 1e-6 }, "\(entry.name)")
    }
  }

  @Test func freshAdapterChangesNothing() throws {
    let m = try Model<Float>(.both)
    let base = array(
      m.base.encoder.infer(m.base.batch, weights: m.base.weights, arena: m.base.arena),
      m.base.batch.tokenCount * m.base.width)
    let trained = m.run(frozen: true)
    #expect(trained != base)
    var generator = SplitMix64(7)
    for adapter in m.stack.adapters { adapter?.initialize(m.stack.weights, using: &generator) }
    // LN(s) is computed twice from the same s, and the up-projection adds zeros.
    #expect(m.run(frozen: true) == base)
  }
}
