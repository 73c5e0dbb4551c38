import Datasets
public import EncoderModel
public import Kernels
import Training

/// Fine-tunes adapters of the encoder, or all of it, together with the towers.
///
/// History vectors come from cached inputs, refreshed once an epoch; gradients flow through the
/// candidates of a step only, each distinct item once. The layers below the first one that learns are
/// never run again, see ``HiddenStateCache``; where the embeddings learn, there is nothing to cache.
public final class AdapterTrainer: @unchecked Sendable {
  private let towers: TowerTrainer
  private let texts: ItemTextEncoder
  private let assembly: ItemInputAssembly
  private let cache: HiddenStateCache?
  private let sequences: [[Int32]]
  private let features: DenseMatrix?
  private let firstLayer: Int
  private let optimizer: Optimizer
  private let learningRate: Double
  private let options: AdapterOptions
  private var step = 0

  /// How adapters are trained.
  public struct AdapterOptions: Sendable, Codable, Equatable {
    /// Width of bottlenecks.
    public var bottleneck = 64
    /// Rank of low-rank changes.
    public var rank = 8
    /// LoRA's alpha: changes are scaled by alpha / rank.
    public var alpha = 16.0
    /// Upper layers that get an adapter; full fine-tuning takes all.
    public var layers = 2
    /// Users in one step, all workers together.
    public var batch = 128
    /// Uniform negatives a worker.
    public var negatives = 64
    /// AdamW's learning rate; nil for the one that suits the kind.
    public var learningRate: Double?
    /// Seed of the adapters' starting values.
    public var seed: UInt64 = 42

    /// Creates the defaults.
    public init() {}
  }

  /// Prepares adapter training on top of trained towers.
  init(
    towers: TowerTrainer, texts: ItemTextEncoder,
    assembly: ItemInputAssembly, cache: HiddenStateCache?, sequences: [[Int32]],
    features: DenseMatrix?, firstLayer: Int, optimizer: Optimizer, learningRate: Double,
    options: AdapterOptions
  ) {
    self.learningRate = learningRate
    self.towers = towers
    self.texts = texts
    self.assembly = assembly
    self.cache = cache
    self.sequences = sequences
    self.features = features
    self.firstLayer = firstLayer
    self.options = options
    self.optimizer = optimizer
    step = optimizer.stepCount
  }

  /// AdamW over the adapters' weights.
  static func makeOptimizer(_ adapters: AdapterStack<Float>, workers: Workers) -> Optimizer {
    var configuration = AdamWConfiguration()
    configuration.weightDecay = 0.01
    return Optimizer(
      weights: adapters.weights, configuration: configuration, clipNorm: 1, workers: workers)
  }

  /// Declares an adapter of a kind and draws its starting values; nil for ``AdapterKind/none``.
  public static func makeAdapters(
    _ kind: AdapterKind, encoder: TextEncoder, base: ParameterStore<Float>,
    options: AdapterOptions
  ) -> AdapterStack<Float>? {
    var generator = SeededGenerator(seed: options.seed, stream: 0x4144_4150)
    return AdapterStack(
      AdapterRecipe(
        kind: kind, layers: options.layers, bottleneck: options.bottleneck, rank: options.rank,
        alpha: options.alpha),
      encoder: encoder, base: base, using: &generator)
  }

  /// Runs steps over an epoch's events until they or `shouldStop` end it; returns the mean loss.
  ///
  /// A ranking loss learns from `events` where they are given, else from the epoch's own draw.
  public func runEpoch(
    _ epoch: Int, events given: [(user: Int32, item: Int32)]? = nil, shouldStop: () -> Bool
  ) -> Double {
    let pointwise = towers.options.loss.isPointwise
    let events = pointwise ? [] : given ?? towers.sampler.events(epoch: epoch)
    let rows = pointwise ? towers.sampler.rows(epoch: epoch) : []
    let count = pointwise ? rows.count : events.count
    var sampler = towers.options
    sampler.negatives = options.negatives
    let planner = TowerSampler(towers.data, options: sampler)
    var total = 0.0
    var seen = 0
    for start in stride(from: 0, to: count, by: options.batch) where !shouldStop() {
      let batch = start..<min(start + options.batch, count)
      let losses = ScalarBuffer<Double>(towers.workers.count)
      losses.pointer.initialize(repeating: 0, count: losses.count)
      towers.workers.runRanges(batch.count) { worker, slice in
        let part = (batch.lowerBound + slice.lowerBound)..<(batch.lowerBound + slice.upperBound)
        var generator = SeededGenerator(
          seed: towers.options.seed,
          stream: (UInt64(self.step) << 8 | UInt64(worker)) &+ 0x4144_0000_0000)
        let plan =
          pointwise
          ? planner.plan(rows: rows[part], using: &generator)
          : planner.plan(events[part], using: &generator)
        losses.pointer[worker] = run(
          plan, worker: worker, gradientScale: 1 / Float(batch.count))
      }
      total += (0..<losses.count).reduce(0) { $0 + losses.pointer[$1] }
      seen += batch.count
      _ = optimizer.step(learningRate: learningRate)
      texts.adapters?.refresh()
      _ = towers.optimizer.step(learningRate: towers.options.learningRate * 0.3)
      step += 1
    }
    return total / Double(max(1, seen))
  }

  private func run(_ plan: TowerBatchPlan, worker: Int, gradientScale: Float) -> Double {
    let arena = towers.arenas[worker]
    arena.reset()
    let width = assembly.width
    let hiddenSize = texts.encoder.configuration.hiddenSize
    let inputs = towers.gatherInputs(plan, arena: arena)
    // The candidates' inputs are computed anew, through the adapters.
    let candidates = plan.items.prefix(plan.candidateCount).map { sequences[Int($0)] }
    let batch = PackedBatch(candidates)
    let saved = forward(batch, items: plan.items.prefix(plan.candidateCount), arena: arena)
    let raw = arena.take(candidates.count * texts.width)
    let pooled = texts.pooling.forward(
      raw, hidden: saved.output, batch: batch, width: hiddenSize, arena: arena)
    let assembled = arena.take(candidates.count * width)
    let assemblySaved = withFeatures { feature in
      assembly.forward(
        assembled, raw: raw, rows: candidates.count,
        features: { feature(Int(plan.items[$0])) }, arena: arena)
    }
    inputs.update(from: assembled, count: candidates.count * width)
    let dx = arena.take(plan.items.count * width)
    let loss = TowerStep(
      network: towers.network, weights: towers.weights, loss: towers.options.loss
    ).run(
      plan, inputs: inputs, userFeatures: towers.gatherUserFeatures(plan, arena: arena), dx: dx,
      gradients: towers.optimizer.gradients[worker], gradientScale: gradientScale, arena: arena)
    let dRaw = arena.take(candidates.count * texts.width)
    assembly.backward(
      dRaw: dRaw, dx: dx, saved: assemblySaved, rows: candidates.count, arena: arena)
    let dHidden = arena.take(batch.tokenCount * hiddenSize)
    texts.pooling.backward(
      dHidden: dHidden, dy: dRaw, saved: pooled, batch: batch, width: hiddenSize)
    texts.encoder.backward(
      dOutput: dHidden, saved: saved, batch: batch, weights: texts.weights, gradients: nil,
      adapters: texts.adapters, adapterGradients: optimizer.gradients[worker], arena: arena,
      dropout: nil)
    return loss
  }

  /// Runs what learns: from cached states, or from the tokens.
  private func forward(
    _ batch: PackedBatch, items: ArraySlice<Int32>, arena: Arena<Float>
  ) -> TextEncoder.Saved<Float> {
    guard let cache else {
      return texts.encoder.forward(
        batch, weights: texts.weights, adapters: texts.adapters, arena: arena, dropout: nil)
    }
    let width = texts.encoder.configuration.hiddenSize
    let hidden = arena.take(batch.tokenCount * width)
    for (row, item) in items.enumerated() {
      cache.copy(Int(item), to: hidden + Int(batch.offsets[row]) * width)
    }
    return texts.encoder.forward(
      from: firstLayer, hidden: hidden, batch: batch, weights: texts.weights,
      adapters: texts.adapters, arena: arena, dropout: nil)
  }

  private func withFeatures<Result>(
    _ body: ((Int) -> UnsafePointer<Float>?) -> Result
  ) -> Result {
    guard let features else { return body { _ in nil } }
    return features.withPointer { base in body { base + $0 * features.columnCount } }
  }
}
