public import Checkpoints
import Datasets
import EncoderModel
import Foundation
import Kernels
import Training

/// Fine-tunes: from an encoder, items and behaviours to a ``Recommender``.
///
/// 1. Item texts -> vectors of the frozen encoder, whitened.
/// 2. On the inner split: collaborative models, towers on cached vectors, then adapters; early stopping
///    on items that play cold.
/// 3. Fusion weights on the same split.
/// 4. Collaborative models and towers once more on all behaviours, for as many epochs as were best.
public struct Finetuner {
  let model: PretrainedModel
  let options: FinetuneOptions
  let report: (Progress) -> Void
  let shouldStop: () -> Bool
  let checkpoint: FinetuneCheckpoint?
  let workers: Workers
  /// What the recipe goes without, to show what it is worth; nothing, unless a benchmark says so.
  package var without: FinetuneAblation = []

  /// What a run tells its caller.
  public enum Progress: Sendable {
    /// A stage begins or something was found, in words.
    case note(String)
    /// An epoch ended.
    case epoch(FinetuneRecord)
  }

  /// Creates a run.
  ///
  /// `shouldStop` is asked between steps and ends the run, from its first yes on; `checkpoint` is where it
  /// can be resumed from.
  public init(
    model: PretrainedModel, options: FinetuneOptions, checkpoint: FinetuneCheckpoint? = nil,
    report: @escaping (Progress) -> Void = { _ in }, shouldStop: @escaping () -> Bool = { false }
  ) {
    self.model = model
    self.options = options
    self.checkpoint = checkpoint
    self.report = report
    self.shouldStop = shouldStop
    workers = Workers(count: options.threads)
  }

  /// Runs all stages.
  ///
  /// - Throws: `TrainingError` for data that nothing can be learned from, ``FinetuneInterrupted`` after
  ///   `shouldStop`, and what the models throw.
  public func run(_ input: FinetuneInput) throws -> Recommender {
    precondition(without.isEmpty, "a recipe without a part makes no recommender")
    var ground = try prepare(input)
    let begin = ground.begin
    let found = try fit(&ground)
    let (towers, space, fusion) = (found.towers, found.space, found.fusion)
    let validation = try Evaluation.inner(
      ground.split, models: ground.models, space: space, fusion: fusion.weights,
      calibration: fusion.calibration, data: ground.data, seed: options.seed, workers: workers)
    note(
      "fitting all again on all behaviours, the towers for \(towers.state.bestEpochs) epochs",
      since: begin)
    ground.models = try final(ground, towers)
    note("models fitted again on all behaviours", since: begin)
    let recommender = Recommender(
      model: model, options: options, input: input, data: ground.data, text: ground.text,
      models: ground.models,
      space: itemSpace(
        ground.text, ground.models, counts: ground.data.positives.columnSums()),
      fusion: fusion, towers: towers, validation: validation)
    if let labels = recommender.metrics.labels {
      note("held-out labels: \(labels.summary)", since: begin)
    }
    return recommender
  }

  /// The first half of a run, up to the collaborative models: all that comes before training.
  ///
  /// - Throws: as ``run(_:)`` does.
  package func prepare(_ input: FinetuneInput) throws -> FinetuneGround {
    let begin = ContinuousClock.now
    let data = try FinetuneData(input)
    try check(data, input)
    let split = try InnerSplit(
      data.positives, users: data.users, items: data.items.ids, seed: options.seed)
    note(
      "\(split.warm.count) warm items, \(split.pseudoCold.count) of the warm items play cold for "
        + "validation", since: begin)
    let text = try TextStage(self, data).run(warm: data.positives)
    note(
      "\(data.items.count) texts encoded, \(text.tokenCount) tokens, "
        + String(format: "%.1f%% unknown", 100 * text.unknownShare), since: begin)
    try endIfAsked()
    if text.unknownShare > 0.05 {
      note(
        "the vocabulary doesn't know this language well: pretrain on the items' own texts "
          + "(encoder pretrain items.csv) and fine-tune --from that", since: begin)
    }
    let penalty = try fitter.choosePenalty(split, names: data.users)
    let models = try collaborative(split.train, text, data, penalty)
    note("collaborative models fitted, EASE penalty \(penalty)", since: begin)
    try endIfAsked()
    return FinetuneGround(
      begin: begin, data: data, split: split, penalty: penalty, text: text, models: models)
  }

  /// The second half, up to the fusion: towers and adapters, which the ground holds from then on, and
  /// weights of the scores.
  ///
  /// - Throws: as ``run(_:)`` does.
  package func fit(_ ground: inout FinetuneGround) throws -> FinetuneFit {
    let begin = ground.begin
    let towers = try TowerStage(self, ground.data, ground.split).run(
      &ground.text, models: &ground.models, note: { note($0, since: begin) })
    let space = itemSpace(
      ground.text, ground.models, counts: ground.split.train.columnSums())
    let fusion = try fusionFitter(ground, space).fit(parts: ground.models.scoreParts)
    note(
      String(
        format: "fusion: NDCG@20 on pseudo-cold items %.4f, held-out warm %.4f, balanced %.4f",
        fusion.coldNDCG, fusion.warmNDCG, fusion.balancedNDCG), since: begin)
    note(fusion.weights.summary, since: begin)
    try endIfAsked()
    return FinetuneFit(towers: towers, space: space, fusion: fusion)
  }

  func fusionFitter(_ ground: FinetuneGround, _ space: ItemSpace) -> FusionFitter {
    FusionFitter(
      split: ground.split, models: ground.models, space: space, users: ground.data.users,
      items: ground.data.items.ids, userFeatures: ground.data.userFeatures, workers: workers)
  }

  private var fitter: CollaborativeFitter {
    CollaborativeFitter(workers: workers, seed: options.seed)
  }

  private func note(_ text: String, since begin: ContinuousClock.Instant) {
    let seconds = Double((ContinuousClock.now - begin).components.seconds)
    report(.note(String(format: "%4.0f s  %@", seconds, text)))
  }

  /// Ends the run where that is asked for, with the end of its last epoch on the disk.
  ///
  /// - Throws: ``FinetuneInterrupted``, and what saving throws.
  func endIfAsked() throws {
    guard shouldStop() else { return }
    try checkpoint?.saveLast()
    throw FinetuneInterrupted()
  }

  private func check(_ data: FinetuneData, _ input: FinetuneInput) throws {
    let counts = data.positives.columnSums()
    let warm = counts.filter { $0 > 0 }.count
    let users = (0..<data.users.count).filter { data.positives.columns(ofRow: $0).count > 1 }.count
    guard warm >= 10, users >= 5 else {
      throw TrainingError(
        "too little to learn from: \(warm) items with positives and \(users) users with at least two "
          + "(positive: \(input.rule.reason)); give more behaviours, or another --positive-label")
    }
    if options.towers.loss == .bce,
      let label = data.labelled.labels.first(where: { $0 != 0 && $0 != 1 })
    {
      throw TrainingError(
        "--loss bce needs labels 0 and 1, and there is a label \(label): behaviours; use "
          + "--loss mse for ratings, or softmax")
    }
  }

  func collaborative(
    _ positives: SparseMatrix, _ text: TextStage.Result, _ data: FinetuneData, _ penalty: Double
  ) throws -> FittedModels {
    let ease = try fitter.ease(positives, penalty: penalty)
    let (als, users) = try fitter.als(positives)
    let ridge = try fitter.ridge(
      als, users: users, positives: positives, white: text.white, items: data.items.ids)
    let network = makeNetwork(text, data)
    return FittedModels(
      ease: ease, easePenalty: penalty, als: als, ridge: ridge, words: text.words,
      assembly: text.assembly,
      network: network, towers: ParameterStore(network.table))
  }

  func makeNetwork(_ text: TextStage.Result, _ data: FinetuneData) -> TowerNetwork {
    TowerNetwork(
      TowerConfiguration(
        itemInputs: text.inputs.columnCount, userInputs: data.userFeatures?.columnCount ?? 0,
        hidden: options.towers.hidden, width: options.towers.width,
        historyItems: without.contains(.itemEmbeddings) ? 0 : data.items.count),
      without: without)
  }

  func itemSpace(
    _ text: TextStage.Result, _ models: FittedModels, counts: [Float]
  ) -> ItemSpace {
    let all = counts.indices.map { Int32($0) }
    let near = ItemSpace.neighbours(
      white: without.contains(.whiteNeighbours) ? text.raw : text.white, words: text.wordVectors,
      queries: all, counts: counts, workers: workers)
    return ItemSpace(
      raw: text.raw, inputs: text.inputs, white: text.white, words: text.wordVectors,
      towerVectors: models.network.itemVectors(
        text.inputs, weights: models.towers, workers: workers),
      counts: counts, textNeighbours: near.text, wordNeighbours: near.words,
      wordCosines: near.cosines, kernelWeights: near.kernel)
  }

  /// Collaborative models and towers on all behaviours.
  private func final(
    _ ground: FinetuneGround, _ towers: TowerStage.Result
  ) throws -> FittedModels {
    let (data, text) = (ground.data, ground.text)
    var models = try collaborative(data.positives, text, data, ground.penalty)
    let trainer = TowerTrainer(
      network: models.network,
      data: TowerData(
        itemInputs: text.inputs, userFeatures: data.userFeatures, positives: data.positives,
        labelled: data.labelled),
      options: options.towers, workers: workers)
    var state = towers.state
    let sections = towers.stores.sections(trainer)
    if state.epoch > 0 {
      // The stage was begun before: its weights are in the checkpoint.
      state = try checkpoint?.load(sections, fingerprint: state.fingerprint) ?? state
      trainer.step = state.towerSteps
      trainer.optimizer.stepCount = state.towerUpdates
    }
    while state.epoch < state.bestEpochs {
      _ = trainer.runEpoch(state.epoch, shouldStop: shouldStop)
      try endIfAsked()
      state.epoch += 1
      (state.towerSteps, state.towerUpdates) = (trainer.step, trainer.optimizer.stepCount)
      try checkpoint?.save(state, sections)
    }
    models.towers = trainer.weights
    return models
  }
}

/// One epoch of fine-tuning, as a line of `training.jsonl` has it.
public struct FinetuneRecord: Sendable, Codable, Equatable {
  /// `towers` or `adapters`.
  public var stage: String
  /// Epochs (or rounds) of the stage.
  public var epoch: Int
  /// Mean training loss.
  public var loss: Double
  /// NDCG@20 on pseudo-cold items, or minus the loss on held-out rows.
  public var validation: Double
  /// Seconds since training began.
  public var seconds: Double
}
