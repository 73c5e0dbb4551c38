public import EncoderModel
public import Kernels

/// Both towers over one parameter table, with the history embeddings and the scale of the scores.
///
/// An item in a history is its tower vector plus an embedding of its own, where it had one in training;
/// an item to be ranked is its tower vector alone, so that new items are ranked as warm ones were trained.
public struct TowerNetwork: Sendable {
  /// The sizes.
  public let configuration: TowerConfiguration
  let item: ItemTower
  let user: UserTower
  package let historyEmbeddings: TensorHandle?
  package let logScale: TensorHandle
  let itemBias: TensorHandle
  let userBias: TensorHandle
  let bias: TensorHandle
  /// Names and shapes of all weights.
  public let table: ParameterTable
  /// What training and pooling go without, to show what it is worth.
  let without: FinetuneAblation

  /// Declares a network.
  public init(_ configuration: TowerConfiguration) { self.init(configuration, without: []) }

  /// Declares a network without parts of the recipe.
  package init(_ configuration: TowerConfiguration, without: FinetuneAblation) {
    var table = ParameterTable()
    self.configuration = configuration
    self.without = without
    item = ItemTower(configuration, in: &table)
    user = UserTower(configuration, in: &table)
    historyEmbeddings =
      configuration.historyItems > 0
      ? table.declare("history.weight", configuration.historyItems, configuration.width) : nil
    logScale = table.declare("score.log_scale.bias", 1)
    itemBias = table.declare("score.item.weight", configuration.width)
    userBias = table.declare("score.user.weight", configuration.width)
    bias = table.declare("score.bias", 1)
    if without.contains(.attention) {
      table.setTrainable { !$0.hasPrefix("user.attention.") }
    }
    self.table = table
  }

  /// Fills a store with starting values: scores are `scale` times the cosine at first.
  public func initialize<S: KernelScalar>(
    _ weights: ParameterStore<S>, scale: Double = 12,
    using generator: inout some RandomNumberGenerator
  ) {
    Initialization.fill(weights, deviation: 0.02, using: &generator)
    let deviation = 1 / Double(configuration.itemInputs).squareRoot()
    for handle in [item.linear, item.hiddenWeight] {
      Initialization.fillNormal(
        UnsafeMutableBufferPointer(start: weights[handle], count: handle.count),
        deviation: deviation, using: &generator)
    }
    user.initialize(weights)
    if without.contains(.attention) {
      // A query of zeros that doesn't learn weighs all entries of a history alike.
      weights[user.query].update(repeating: 0, count: user.query.count)
    }
    for handle in [historyEmbeddings, itemBias, userBias].compactMap({ $0 }) {
      weights[handle].update(repeating: 0, count: handle.count)
    }
    weights[logScale][0] = S(Double.log(scale))
  }

  /// The distinct items of a batch and the histories over them.
  public struct Batch<S: KernelScalar> {
    /// Inputs of the distinct items, (items, itemInputs).
    public var items: UnsafeMutablePointer<S>
    /// Number of distinct items.
    public var itemCount: Int
    /// Histories in CSR form: (users + 1).
    public var offsets: [Int32]
    /// Row in `items` of each history entry.
    public var entries: [Int32]
    /// Row in the history embeddings of each entry, or -1 for an entry without one.
    public var embeddingRows: [Int32]
    /// User features, (users, userInputs), or nil.
    public var userFeatures: UnsafeMutablePointer<S>?

    /// Describes a batch; memory and lists are as the properties say.
    package init(
      items: UnsafeMutablePointer<S>, itemCount: Int, offsets: [Int32], entries: [Int32],
      embeddingRows: [Int32], userFeatures: UnsafeMutablePointer<S>?
    ) {
      self.items = items
      self.itemCount = itemCount
      self.offsets = offsets
      self.entries = entries
      self.embeddingRows = embeddingRows
      self.userFeatures = userFeatures
    }
  }

  package struct Saved<S: KernelScalar> {
    package let item: ItemTower.Saved<S>
    package let user: UserTower.Saved<S>
    let batch: Batch<S>
  }

  package func forward<S: KernelScalar>(
    _ batch: Batch<S>, weights: ParameterStore<S>, arena: Arena<S>
  ) -> Saved<S> {
    let d = configuration.width
    let items = item.forward(
      x: batch.items, rows: batch.itemCount, weights: weights, arena: arena)
    let history: UnsafeMutablePointer<S> = arena.take(batch.entries.count * d)
    for (row, entry) in batch.entries.enumerated() {
      (history + row * d).update(from: items.y + Int(entry) * d, count: d)
      if let table = historyEmbeddings, batch.embeddingRows[row] >= 0 {
        S.axpy(d, 1, weights[table] + Int(batch.embeddingRows[row]) * d, history + row * d)
      }
    }
    let users = user.forward(
      history: history, offsets: batch.offsets, features: batch.userFeatures, weights: weights,
      arena: arena)
    return Saved(item: items, user: users, batch: batch)
  }

  /// Adds all weight gradients from those of the item and user vectors, both overwritten; `dx`, where
  /// wanted, takes the gradient of the items' inputs.
  package func backward<S: KernelScalar>(
    dItems: UnsafeMutablePointer<S>, dUsers: UnsafeMutablePointer<S>,
    dx: UnsafeMutablePointer<S>?, saved: Saved<S>, weights: ParameterStore<S>,
    gradients: ParameterStore<S>, arena: Arena<S>
  ) {
    let (d, batch) = (configuration.width, saved.batch)
    let mark = arena.mark
    let dHistory: UnsafeMutablePointer<S> = arena.take(batch.entries.count * d)
    user.backward(
      dHistory: dHistory, dy: dUsers, saved: saved.user, weights: weights,
      gradients: gradients, arena: arena)
    for (row, entry) in batch.entries.enumerated() {
      S.axpy(d, 1, dHistory + row * d, dItems + Int(entry) * d)
      if let table = historyEmbeddings, batch.embeddingRows[row] >= 0 {
        S.axpy(d, 1, dHistory + row * d, gradients[table] + Int(batch.embeddingRows[row]) * d)
      }
    }
    item.backward(
      dx: dx, dy: dItems, saved: saved.item, weights: weights, gradients: gradients,
      arena: arena)
    arena.release(to: mark)
  }
}
