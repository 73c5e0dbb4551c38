import Datasets
import EncoderModel
import Foundation
import Kernels

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
    /// Tower epochs until the best validation.
    var bestEpochs = 0
    /// Validation of the towers on frozen vectors.
    var frozenValidation = -Double.infinity
    /// Validation with adapters, where they were trained.
    var adapterValidation: Double?
    /// Labels and tower scores of held-out rows, for pointwise losses.
    var heldScores: [(score: Float, label: Float)] = []
  }

  func run(
    _ text: inout TextStage.Result, models: inout FittedModels, note: (String) -> Void
  ) throws -> Result {
    let start = ContinuousClock.now
    func seconds() -> Double {
      Double((ContinuousClock.now - start).components.seconds)
        + Double((ContinuousClock.now - start).components.attoseconds) * 1e-18
    }
    let limit = run.options.minutes * 60
    let (rows, held) = heldOutRows()
    let validator = TowerValidator(
      split: split, loss: run.options.towers.loss, heldRows: held,
      userFeatures: data.userFeatures, names: data.users, workers: run.workers)
    let trainer = TowerTrainer(
      network: models.network,
      data: TowerData(
        itemInputs: text.inputs, userFeatures: data.userFeatures, positives: split.train,
        labelled: rows),
      options: run.options.towers, workers: run.workers)
    var result = Result()
    let best = ParameterStore<Float>(models.network.table)
    func record(_ stage: String, _ epoch: Int, _ loss: Double, _ validation: Double) {
      run.report(
        .epoch(
          FinetuneRecord(
            stage: stage, epoch: epoch, loss: loss, validation: validation, seconds: seconds())))
    }
    let usesAdapters = run.options.adapterKind == .bottleneck
    let towerLimit = usesAdapters ? limit / 2 : limit
    var withoutGain = 0
    for epoch in 0..<run.options.towers.maximumEpochs {
      let loss = trainer.runEpoch(epoch) { run.shouldStop() || seconds() > towerLimit }
      let value = validator.judge(models.network, trainer.weights, inputs: text.inputs)
      record("towers", epoch + 1, loss, value)
      if value > result.frozenValidation {
        (result.frozenValidation, result.bestEpochs) = (value, epoch + 1)
        best.copy(from: trainer.weights)
        withoutGain = 0
      } else {
        withoutGain += 1
      }
      if withoutGain >= run.options.towers.patience || run.shouldStop() || seconds() > towerLimit {
        break
      }
    }
    trainer.weights.copy(from: best)
    note(
      String(
        format: "towers: best validation %.4f after %d epochs", result.frozenValidation,
        result.bestEpochs))
    if usesAdapters && !run.shouldStop() && seconds() < limit {
      try trainAdapters(
        trainer, validator, &text, &result, best: best, isOver: { seconds() > limit },
        record: record)
      note(
        String(
          format: "adapters: validation %.4f, %@", result.adapterValidation ?? .nan,
          text.adapters == nil ? "no gain, left out" : "kept"))
    }
    models.towers = best
    if run.options.towers.loss.isPointwise {
      let counts = split.train.columnSums()
      let scores = PairScorer(
        network: models.network, weights: best,
        itemVectors: models.network.itemVectors(
          text.inputs, weights: best, workers: run.workers),
        embeddingRows: counts.indices.map { counts[$0] > 0 ? Int32($0) : -1 },
        histories: split.train, userFeatures: data.userFeatures, workers: run.workers
      ).scores(held)
      result.heldScores = zip(scores, held.labels).map { ($0, $1) }
    }
    return result
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

  private func trainAdapters(
    _ trainer: TowerTrainer, _ validator: TowerValidator, _ text: inout TextStage.Result,
    _ result: inout Result, best: ParameterStore<Float>, isOver: () -> Bool,
    record: (String, Int, Double, Double) -> Void
  ) throws {
    let (model, workers) = (run.model, run.workers)
    let stack = AdapterTrainer.makeAdapters(model.encoder, options: run.options.adapters)
    let first = stack.adapters.firstIndex { $0 != nil } ?? 0
    let cache = try HiddenStateCache(
      text.sequences, encoder: model.encoder, weights: model.weights, layers: first,
      workers: workers)
    let encoder = ItemTextEncoder(
      encoder: model.encoder, weights: model.weights, adapters: stack, pooling: text.pooling)
    let adapters = try AdapterTrainer(
      towers: trainer, texts: encoder, assembly: text.assembly, cache: cache,
      sequences: text.sequences, features: data.itemFeatures, firstLayer: first,
      options: run.options.adapters)
    let bestAdapters = ParameterStore<Float>(stack.weights.table)
    var withoutGain = 0
    for round in 0..<8 where withoutGain < 2 && !run.shouldStop() && !isOver() {
      var steps = 0
      let loss = adapters.runEpoch(round) {
        steps += 1
        return steps > 60 || run.shouldStop() || isOver()
      }
      let raw = encoder.vectors(
        text.sequences, cache: cache, firstLayer: first, workers: workers)
      let inputs = text.assembly.inputs(raw: raw, features: data.itemFeatures, workers: workers)
      trainer.data.itemInputs = inputs
      let value = validator.judge(trainer.network, trainer.weights, inputs: inputs)
      record("adapters", round + 1, loss, value)
      if value > max(result.frozenValidation, result.adapterValidation ?? -.infinity) {
        best.copy(from: trainer.weights)
        bestAdapters.copy(from: stack.weights)
        text.inputs = inputs
        text.adapters = AdapterStack(adapters: stack.adapters, weights: bestAdapters)
        withoutGain = 0
      } else {
        withoutGain += 1
      }
      result.adapterValidation = max(result.adapterValidation ?? -.infinity, value)
    }
  }
}
