public import Kernels

/// An adapter over an encoder: bottlenecks in its layers, changes of its weights, or all weights anew.
///
/// It owns only what is trained. The base is shared and stays as it is, so several adapters can stand over
/// one base, and a pass takes whichever it is given.
public struct AdapterStack<S: KernelScalar>: Sendable {
  /// Bottlenecks behind the feed-forward block by layer; `nil` where a layer has none.
  public let adapters: [BottleneckAdapter?]
  /// Bottlenecks behind attention by layer.
  public let attentionAdapters: [BottleneckAdapter?]
  /// Changes of the base's weights.
  public let changes: [WeightChange]
  /// What is trained.
  public let weights: ParameterStore<S>
  /// Whether ``weights`` stands for all of the base's weights, under the base's table.
  public let replacesAll: Bool
  /// The base and the encoder that declared it, where weights change.
  let base: ParameterStore<S>?
  /// The base's weights with the changes.
  let changed: ParameterStore<S>?
  let layout: GradientLayout?
  private let encoder: TextEncoder?

  /// Pairs declared bottlenecks with their store.
  public init(
    adapters: [BottleneckAdapter?], attentionAdapters: [BottleneckAdapter?] = [],
    weights: ParameterStore<S>
  ) {
    self.adapters = adapters
    self.attentionAdapters = attentionAdapters
    self.weights = weights
    changes = []
    replacesAll = false
    (base, changed, layout, encoder) = (nil, nil, nil, nil)
  }

  /// Pairs declared changes with their store, over a base.
  ///
  /// No two changes may concern one tensor. The changed weights are those of the store's present values;
  /// ``refresh()`` follows later ones.
  public init(
    changes: [WeightChange], weights: ParameterStore<S>, encoder: TextEncoder,
    base: ParameterStore<S>
  ) {
    self.changes = changes
    self.weights = weights
    self.base = base
    self.encoder = encoder
    (adapters, attentionAdapters, replacesAll) = ([], [], false)
    layout = GradientLayout(encoder, learning: changes.flatMap(\.ranges))
    let store = ParameterStore<S>(base.table)
    store.copy(from: base)
    changed = store
    refresh()
  }

  /// All of an encoder's weights as the adapter, `weights` having the base's table.
  public init(replacing base: ParameterStore<S>, weights: ParameterStore<S>, encoder: TextEncoder) {
    precondition(base.count == weights.count, "weights of another model")
    self.weights = weights
    self.base = base
    self.encoder = encoder
    changed = weights
    (adapters, attentionAdapters, changes, layout) = ([], [], [], nil)
    replacesAll = true
  }

  /// The same adapter with other values.
  ///
  /// - Parameter weights: a store under the same table.
  public func with(weights: ParameterStore<S>) -> AdapterStack {
    guard let encoder, let base else {
      return AdapterStack(
        adapters: adapters, attentionAdapters: attentionAdapters, weights: weights)
    }
    return replacesAll
      ? AdapterStack(replacing: base, weights: weights, encoder: encoder)
      : AdapterStack(changes: changes, weights: weights, encoder: encoder, base: base)
  }

  /// Computes the changed weights anew, after ``weights`` was written to.
  ///
  /// Nothing may run through the adapter meanwhile.
  public func refresh() {
    guard let base, let changed, !replacesAll else { return }
    for change in changes {
      for range in change.ranges {
        (changed.base + range.lowerBound).update(
          from: base.base + range.lowerBound, count: range.count)
      }
      change.apply(to: changed, weights)
    }
  }

  /// Whether anything is added to the layers, which can't be folded into weights.
  public var hasBottlenecks: Bool {
    (adapters + attentionAdapters).contains { $0 != nil }
  }

  /// Whether the input of layer 0 depends on the adapter, so that passes have to start from token ids.
  public var changesEmbeddings: Bool {
    replacesAll || changes.contains { $0.weight.name.hasPrefix("embeddings.") }
  }

  /// The lowest layer that differs from the base's; the layers below can be computed once.
  ///
  /// The number of layers when none differs.
  public func firstLayer(of encoder: TextEncoder) -> Int {
    if changesEmbeddings { return 0 }
    return (0..<encoder.layers.count).first { depth($0) != nil } ?? encoder.layers.count
  }

  /// How far a layer has to be descended for all that learns in it; nil when nothing does.
  func depth(_ layer: Int) -> TransformerLayer.Depth? {
    if replacesAll { return .weights }
    let scope = "encoder.layer.\(layer)."
    if changes.contains(where: { $0.weight.name.hasPrefix(scope) }) { return .weights }
    if slots(layer, gradients: nil).attention != nil { return .attentionAdapter }
    return slots(layer, gradients: nil).feedForward == nil ? nil : .feedForwardAdapter
  }

  func slots(_ layer: Int, gradients: ParameterStore<S>?) -> TransformerLayer.Slots<S> {
    func slot(_ list: [BottleneckAdapter?]) -> AdapterSlot<S>? {
      guard layer < list.count, let adapter = list[layer] else { return nil }
      return AdapterSlot(adapter: adapter, weights: weights, gradients: gradients)
    }
    return .init(attention: slot(attentionAdapters), feedForward: slot(adapters))
  }

  /// Adds the gradients of the changes, from those of the changed weights in `memory`.
  func backwardChanges(_ memory: UnsafePointer<S>, into gradients: ParameterStore<S>) {
    guard let base, let layout else { return }
    for change in changes {
      change.backward(
        gradients, changed: memory + layout.place(of: change.weight),
        changedBias: change.bias.map { memory + layout.place(of: $0) }, own: weights, base: base)
    }
  }
}
