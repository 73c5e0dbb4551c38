import Datasets
public import EncoderModel
public import Kernels
import Training

/// Trains the towers on cached item inputs: plan, gather, forward, loss, backward, step.
///
/// Each worker plans and runs its own micro-batch with its own negatives; gradients are summed in a
/// fixed order.
public final class TowerTrainer: @unchecked Sendable {
  /// The towers.
  public let network: TowerNetwork
  /// Their weights, changed in place.
  public let weights: ParameterStore<Float>
  /// What they learn from.
  public var data: TowerData
  let options: TowerOptions
  let workers: Workers
  let sampler: TowerSampler
  let optimizer: Optimizer
  let arenas: [Arena<Float>]
  /// Steps drawn so far, from which the randomness of the next one comes.
  var step = 0

  /// Prepares training from the network's starting values.
  public init(
    network: TowerNetwork, data: TowerData, options: TowerOptions, workers: Workers
  ) {
    self.network = network
    self.data = data
    self.options = options
    self.workers = workers
    weights = ParameterStore(network.table)
    var generator = SeededGenerator(seed: options.seed, stream: 0x544F_5745)
    network.initialize(
      weights, scale: options.loss.isPointwise ? 1 : 12, using: &generator)
    if options.loss == .mse, data.labelled.count > 0 {
      // Ratings start at their mean, which saves the first epochs from finding it.
      weights[network.bias][0] =
        data.labelled.labels.reduce(0, +) / Float(data.labelled.count)
    }
    var configuration = AdamWConfiguration()
    configuration.weightDecay = options.weightDecay
    optimizer = Optimizer(
      weights: weights, configuration: configuration, clipNorm: 1, workers: workers)
    sampler = TowerSampler(data, options: options)
    arenas = (0..<workers.count).map { _ in Arena<Float>(capacity: 0) }
  }

  /// Runs one epoch and returns its mean loss; `shouldStop` is asked before each step.
  ///
  /// A ranking loss learns from `events` where they are given, else from the epoch's own draw.
  public func runEpoch(
    _ epoch: Int, events given: [(user: Int32, item: Int32)]? = nil,
    shouldStop: () -> Bool = { false }
  ) -> Double {
    let events = options.loss.isPointwise ? [] : given ?? sampler.events(epoch: epoch)
    let rows = options.loss.isPointwise ? sampler.rows(epoch: epoch) : []
    let count = options.loss.isPointwise ? rows.count : events.count
    var total = 0.0
    var seen = 0
    for start in stride(from: 0, to: count, by: options.batch) where !shouldStop() {
      let batch = start..<min(start + options.batch, count)
      let losses = UnsafeMutableBufferPointer<Double>.allocate(capacity: workers.count)
      losses.initialize(repeating: 0)
      defer { losses.deallocate() }
      nonisolated(unsafe) let target = losses
      workers.runRanges(batch.count) { worker, slice in
        let part = (batch.lowerBound + slice.lowerBound)..<(batch.lowerBound + slice.upperBound)
        var generator = SeededGenerator(
          seed: options.seed, stream: (UInt64(self.step) << 8 | UInt64(worker)) &+ 0x5354_0000_0000)
        let plan =
          options.loss.isPointwise
          ? sampler.plan(rows: rows[part], using: &generator)
          : sampler.plan(events[part], using: &generator)
        target[worker] = run(
          plan, worker: worker, gradientScale: 1 / Float(batch.count), key: generator.next())
      }
      total += losses.reduce(0, +)
      seen += batch.count
      _ = optimizer.step(learningRate: options.learningRate)
      step += 1
    }
    return total / Double(max(1, seen))
  }

  private func run(
    _ plan: TowerBatchPlan, worker: Int, gradientScale: Float, key: UInt64
  ) -> Double {
    let arena = arenas[worker]
    arena.reset()
    let inputs = gatherInputs(plan, arena: arena)
    Dropout(rate: options.inputDropout, key: key).apply(
      inputs, count: plan.items.count * network.configuration.itemInputs)
    return TowerStep(network: network, weights: weights, loss: options.loss).run(
      plan, inputs: inputs, userFeatures: gatherUserFeatures(plan, arena: arena), dx: nil,
      gradients: optimizer.gradients[worker], gradientScale: gradientScale, arena: arena)
  }

  /// Rows of the cached inputs for the distinct items of a plan.
  func gatherInputs(_ plan: TowerBatchPlan, arena: Arena<Float>) -> UnsafeMutablePointer<Float> {
    let width = network.configuration.itemInputs
    let inputs = arena.take(plan.items.count * width)
    data.itemInputs.withPointer { source in
      for (row, item) in plan.items.enumerated() {
        (inputs + row * width).update(from: source + Int(item) * width, count: width)
      }
    }
    return inputs
  }

  /// Rows of the user features of a plan.
  func gatherUserFeatures(
    _ plan: TowerBatchPlan, arena: Arena<Float>
  ) -> UnsafeMutablePointer<Float>? {
    guard let table = data.userFeatures else { return nil }
    let width = table.columnCount
    let rows = arena.take(plan.users.count * width)
    table.withPointer { source in
      for (row, user) in plan.users.enumerated() {
        (rows + row * width).update(from: source + Int(user) * width, count: width)
      }
    }
    return rows
  }
}

/// Forward, loss and backward of one planned micro-batch.
struct TowerStep {
  let network: TowerNetwork
  let weights: ParameterStore<Float>
  let loss: TowerLoss

  /// Summed loss; adds gradients scaled by `gradientScale`, and writes those of the inputs into `dx`.
  func run(
    _ plan: TowerBatchPlan, inputs: UnsafeMutablePointer<Float>,
    userFeatures: UnsafeMutablePointer<Float>?, dx: UnsafeMutablePointer<Float>?,
    gradients: ParameterStore<Float>, gradientScale: Float, arena: Arena<Float>
  ) -> Double {
    let d = network.configuration.width
    let saved = network.forward(
      TowerNetwork.Batch(
        items: inputs, itemCount: plan.items.count, offsets: plan.offsets, entries: plan.entries,
        embeddingRows: plan.embeddingRows, userFeatures: userFeatures),
      weights: weights, arena: arena)
    let dItems = arena.take(plan.items.count * d)
    let dUsers = arena.take(plan.users.count * d)
    dItems.update(repeating: 0, count: plan.items.count * d)
    dUsers.update(repeating: 0, count: plan.users.count * d)
    let value: Double
    if loss.isPointwise {
      value = PointwiseLoss<Float>(
        network: network, loss: loss, users: plan.users.indices.map { Int32($0) },
        items: plan.targets, labels: plan.labels
      ).run(
        users: saved.user.y, items: saved.item.y, dUsers: dUsers, dItems: dItems,
        weights: weights, gradients: gradients, gradientScale: gradientScale)
    } else {
      let isCorrected = !network.without.contains(.logQ)
      value = RankingLoss<Float>(
        network: network, loss: loss, targets: plan.targets,
        logQ: isCorrected ? plan.logQ : [Float](repeating: 0, count: plan.logQ.count),
        excluded: plan.excluded
      ).run(
        users: saved.user.y, items: saved.item.y, candidates: plan.candidateCount,
        dUsers: dUsers, dItems: dItems, weights: weights, gradients: gradients,
        gradientScale: gradientScale, arena: arena)
    }
    network.backward(
      dItems: dItems, dUsers: dUsers, dx: dx, saved: saved, weights: weights,
      gradients: gradients, arena: arena)
    return value
  }
}
