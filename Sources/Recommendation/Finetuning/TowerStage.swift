import Checkpoints
import Datasets
import EncoderModel
import Foundation
import Kernels
import Training

/// The second stage: towers on cached vectors with early stopping, then adapters where they are wanted.
struct TowerStage {
  let run: Finetuner
  let data: FinetuneData
  let split: InnerSplit

  init(_ run: Finetuner, _ data: FinetuneData, _ split: InnerSplit) {
    self.run = run
    self.data = data
    self.split = split
  }

  /// What the stage found.
  struct Result {
    /// Where the run stands; its stage is the final one.
    var state: FinetuneState
    /// The towers with the best validation.
    let best: ParameterStore<Float>
    /// What a checkpoint holds.
    let stores: Stores
    /// Labels and tower scores of held-out rows, for pointwise losses.
    var heldScores: [(score: Float, label: Float)] = []
  }

  /// The weights and moments of a run, under the names that its state gives them.
  struct Stores {
    let trainer: TowerTrainer
    let best: ParameterStore<Float>
    let adapters: AdapterStack<Float>?
    let adapterOptimizer: Optimizer?
    let bestAdapters: ParameterStore<Float>?

    /// Sections of a checkpoint; `towers` is the trainer whose weights and moments it holds.
    func sections(_ towers: TowerTrainer) -> [TrainingState.Section] {
      var sections: [TrainingState.Section] = [
        .init("towers", towers.weights), .init("towers_first", towers.optimizer.first),
        .init("towers_second", towers.optimizer.second), .init("towers_best", best),
      ]
      if let adapters, let adapterOptimizer, let bestAdapters {
        sections += [
          .init("adapters", adapters.weights),
          .init("adapters_first", adapterOptimizer.first),
          .init("adapters_second", adapterOptimizer.second),
          .init("adapters_best", bestAdapters),
        ]
      }
      return sections
    }
  }

  func run(
    _ text: inout TextStage.Result, models: inout FittedModels, note: (String) -> Void
  ) throws -> Result {
    let (rows, held) = heldOutRows()
    let stores = makeStores(text, models.network, rows: rows)
    let trainer = stores.trainer
    var state =
      try run.checkpoint?.load(stores.sections(trainer), fingerprint: fingerprint(text))
      ?? FinetuneState(fingerprint: fingerprint(text))
    trainer.step = state.towerSteps
    trainer.optimizer.stepCount = state.towerUpdates
    stores.adapterOptimizer?.stepCount = state.adapterSteps
    let clock = StageClock(limit: run.options.minutes, before: state.seconds ?? 0)
    let validator = TowerValidator(
      split: split, loss: run.options.towers.loss, heldRows: held,
      userFeatures: data.userFeatures, names: data.users, workers: run.workers)
    if state.stage == .towers {
      try trainTowers(&state, stores, validator, text.inputs, clock)
      note(
        String(
          format: "towers: best validation %.4f after %d epochs", state.frozenValidation ?? .nan,
          state.bestEpochs))
    }
    if let stack = stores.adapters, state.stage == .adapters || state.keepsAdapters {
      try trainAdapters(&state, stores, stack, validator, &text, clock)
      note(
        String(
          format: "adapters (%@, %d parameters): validation %.4f, %@",
          run.options.adapterKind.rawValue, stack.weights.count, state.adapterValidation ?? .nan,
          state.keepsAdapters ? "kept" : "no gain, left out"))
    }
    if state.stage != .final {
      (state.stage, state.epoch) = (.final, 0)
    }
    models.towers = stores.best
    var result = Result(state: state, best: stores.best, stores: stores)
    if run.options.towers.loss.isPointwise {
      let counts = split.train.columnSums()
      let scores = PairScorer(
        network: models.network, weights: stores.best,
        itemVectors: models.network.itemVectors(
          text.inputs, weights: stores.best, workers: run.workers),
        embeddingRows: counts.indices.map { counts[$0] > 0 ? Int32($0) : -1 },
        histories: split.train, userFeatures: data.userFeatures, workers: run.workers
      ).scores(held)
      result.heldScores = zip(scores, held.labels).map { ($0, $1) }
    }
    return result
  }

  private func makeStores(
    _ text: TextStage.Result, _ network: TowerNetwork, rows: TowerData.LabelledRows
  ) -> Stores {
    let trainer = TowerTrainer(
      network: network,
      data: TowerData(
        itemInputs: text.inputs, userFeatures: data.userFeatures, positives: split.train,
        labelled: rows),
      options: run.options.towers, workers: run.workers)
    let stack = AdapterTrainer.makeAdapters(
      run.options.adapterKind, encoder: run.model.encoder, base: run.model.weights,
      options: run.options.adapters)
    return Stores(
      trainer: trainer, best: ParameterStore<Float>(network.table), adapters: stack,
      adapterOptimizer: stack.map { AdapterTrainer.makeOptimizer($0, workers: run.workers) },
      bestAdapters: stack.map { ParameterStore<Float>($0.weights.table) })
  }

  /// Tells one run from another: data, token ids, encoder and options.
  private func fingerprint(_ text: TextStage.Result) -> UInt64 {
    var hash = UInt64(data.positives.entryCount)
    func mix(_ value: UInt64) { hash = splitMix64Finalizer(hash ^ value) }
    for column in data.positives.columns { mix(UInt64(UInt32(bitPattern: column))) }
    for sequence in text.sequences { for id in sequence { mix(UInt64(UInt32(bitPattern: id))) } }
    for value in text.raw.row(0) { mix(UInt64(value.bitPattern)) }
    for value in data.vectorFeatures?.values ?? [] { mix(UInt64(value.bitPattern)) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    for byte in (try? encoder.encode(run.options)) ?? Data() { mix(UInt64(byte)) }
    return hash
  }

  private func finish(
    _ state: inout FinetuneState, _ stores: Stores, _ clock: StageClock, _ record: FinetuneRecord
  ) throws {
    state.records.append(record)
    run.report(.epoch(record))
    state.towerSteps = stores.trainer.step
    state.towerUpdates = stores.trainer.optimizer.stepCount
    state.adapterSteps = stores.adapterOptimizer?.stepCount ?? 0
    if run.options.minutes != nil { state.seconds = clock.seconds }
    try run.checkpoint?.save(state, stores.sections(stores.trainer))
  }

  private func trainTowers(
    _ state: inout FinetuneState, _ stores: Stores, _ validator: TowerValidator,
    _ inputs: DenseMatrix, _ clock: StageClock
  ) throws {
    let (options, trainer) = (run.options.towers, stores.trainer)
    // Adapters get half of the time.
    let share = stores.adapters == nil ? 1 : 0.5
    while state.epoch < options.maximumEpochs, state.withoutGain < options.patience,
      !clock.isOver(share)
    {
      let loss = trainer.runEpoch(state.epoch) { run.shouldStop() || clock.isOver(share) }
      try run.endIfAsked()
      let value = validator.judge(trainer.network, trainer.weights, inputs: inputs)
      state.epoch += 1
      if value > state.frozenValidation ?? -.infinity {
        (state.frozenValidation, state.bestEpochs, state.withoutGain) = (value, state.epoch, 0)
        stores.best.copy(from: trainer.weights)
      } else {
        state.withoutGain += 1
      }
      try finish(
        &state, stores, clock,
        FinetuneRecord(
          stage: "towers", epoch: state.epoch, loss: loss, validation: value,
          seconds: clock.seconds))
    }
    trainer.weights.copy(from: stores.best)
    (state.stage, state.epoch, state.withoutGain) = (.adapters, 0, 0)
    // What the checkpoint keeps of the towers' epochs has no copy of the adapters, which change from here on.
    if stores.adapters != nil {
      try run.checkpoint?.save(state, stores.sections(trainer), atOnce: true)
    }
  }

  /// Labelled rows for training, and those held out: rows of pseudo-cold items and a tenth of the others.
  private func heldOutRows() -> (TowerData.LabelledRows, TowerData.LabelledRows) {
    var (rows, held) = (TowerData.LabelledRows(), TowerData.LabelledRows())
    guard run.options.towers.loss.isPointwise else { return (rows, held) }
    var isCold = [Bool](repeating: false, count: data.items.count)
    for item in split.pseudoCold { isCold[Int(item)] = true }
    let limit = UInt64(InnerSplit.share * 0x1p63) * 2
    let all = data.labelled
    for row in 0..<all.count {
      let (user, item) = (Int(all.users[row]), Int(all.items[row]))
      let isHeld =
        isCold[item]
        || portableHash("\(run.options.seed)|held|\(data.users[user])|\(data.items.ids[item])")
          < limit
      func append(_ target: inout TowerData.LabelledRows) {
        target.users.append(all.users[row])
        target.items.append(all.items[row])
        target.labels.append(all.labels[row])
      }
      if isHeld { append(&held) } else { append(&rows) }
    }
    return (rows, held)
  }

  /// Rounds of adapter training; a state past them only has its inputs computed again.
  private func trainAdapters(
    _ state: inout FinetuneState, _ stores: Stores, _ stack: AdapterStack<Float>,
    _ validator: TowerValidator, _ text: inout TextStage.Result, _ clock: StageClock
  ) throws {
    guard let optimizer = stores.adapterOptimizer, let bestWeights = stores.bestAdapters else {
      return
    }
    try run.endIfAsked()
    let (model, workers, trainer) = (run.model, run.workers, stores.trainer)
    // A checkpoint may have filled the weights.
    stack.refresh()
    let first = stack.firstLayer(of: model.encoder)
    let cache = try HiddenStateCache.below(
      stack, text.sequences, encoder: model.encoder, weights: model.weights, workers: workers)
    let (assembly, pooling, sequences) = (text.assembly, text.pooling, text.sequences)
    func inputs(_ stack: AdapterStack<Float>) -> DenseMatrix {
      let encoder = ItemTextEncoder(
        encoder: model.encoder, weights: model.weights, adapters: stack, pooling: pooling)
      let raw = encoder.vectors(sequences, cache: cache, firstLayer: first, workers: workers)
      return assembly.inputs(raw: raw, features: data.itemFeatures, workers: workers)
    }
    let best = stack.with(weights: bestWeights)
    if state.keepsAdapters { (text.inputs, text.adapters) = (inputs(best), best) }
    guard state.stage == .adapters else { return }
    if state.epoch > 0 { trainer.data.itemInputs = inputs(stack) }
    let adapters = AdapterTrainer(
      towers: trainer,
      texts: ItemTextEncoder(
        encoder: model.encoder, weights: model.weights, adapters: stack, pooling: pooling),
      assembly: assembly, cache: cache, sequences: sequences, features: data.itemFeatures,
      firstLayer: first, optimizer: optimizer,
      learningRate: run.options.adapters.learningRate ?? run.options.adapterKind.learningRate,
      options: run.options.adapters)
    while state.epoch < TowerStage.maximumRounds, state.withoutGain < 2, !clock.isOver(1) {
      var steps = 0
      let loss = adapters.runEpoch(state.epoch) {
        steps += 1
        return steps > TowerStage.stepsOfRound || run.shouldStop() || clock.isOver(1)
      }
      try run.endIfAsked()
      let current = inputs(stack)
      trainer.data.itemInputs = current
      let value = validator.judge(trainer.network, trainer.weights, inputs: current)
      state.epoch += 1
      if value > state.adapterBar {
        stores.best.copy(from: trainer.weights)
        bestWeights.copy(from: stack.weights)
        best.refresh()
        (text.inputs, text.adapters) = (current, best)
        (state.keepsAdapters, state.withoutGain) = (true, 0)
      } else {
        state.withoutGain += 1
      }
      state.adapterValidation = max(state.adapterValidation ?? -.infinity, value)
      try finish(
        &state, stores, clock,
        FinetuneRecord(
          stage: "adapters", epoch: state.epoch, loss: loss, validation: value,
          seconds: clock.seconds))
    }
  }

  /// Rounds at most, and steps of one round: a round ends with a refresh of the cached inputs.
  private static let maximumRounds = 8
  private static let stepsOfRound = 60
}

/// The time that training may take, earlier sessions of a resumed run included.
struct StageClock {
  private let limit: Double?
  private let before: Double
  private let start = ContinuousClock.now

  /// `limit` in minutes; nil for none.
  init(limit: Double?, before: Double) {
    self.limit = limit
    self.before = before
  }

  var seconds: Double {
    let parts = (ContinuousClock.now - start).components
    return before + Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
  }

  /// Whether this share of the time is used up.
  func isOver(_ share: Double) -> Bool { limit.map { seconds > share * $0 * 60 } ?? false }
}
