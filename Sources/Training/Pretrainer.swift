public import Checkpoints
import Datasets
public import EncoderModel
import Foundation
public import Kernels

/// Pretrains an encoder: next batch, mask, forward, backward, step, and now and then validate, log
/// and save.
///
/// Each worker runs its own micro-batch; gradients are summed in a fixed order. The same seed, thread
/// count and BLAS kernel give the same bytes, also when a run is killed and resumed.
public final class Pretrainer {
  /// The model in training; its weights change in place.
  public let model: PretrainedModel
  private let corpus: TokenizedCorpus
  private let budget: TrainingBudget
  private let workers: Workers
  private let objective: PretrainingObjective
  private let optimizer: Optimizer
  private let schedule: LearningRateSchedule
  private var order: SequenceOrder
  private var progress: PretrainingProgress
  private let arenas: [Arena<Float>]
  private let validator: PretrainingValidator
  /// The weights of the lowest validation loss, as they are to be exported.
  private let best: ParameterStore<Float>
  private var secondsBefore = 0.0
  private var lastStepSeconds = 0.0

  /// Prepares a run.
  ///
  /// The model needs a masked-token head, and a bag-of-words head where the options
  /// give that objective a weight.
  ///
  /// - Throws: ``TrainingError`` when a head is missing, or sequences may be longer than the model.
  public init(
    model: PretrainedModel, corpus: TokenizedCorpus, options: PretrainingOptions,
    budget: TrainingBudget
  ) throws {
    guard let maskedTokens = model.maskedTokenHead else {
      throw TrainingError(
        "the model has no masked-token head: pretraining; load it with its trainable heads")
    }
    let usesBag = options.bagOfWordsWeight > 0
    guard !usesBag || model.bagOfWordsHead != nil else {
      throw TrainingError(
        "the model has no bag-of-words head: pretraining; load it with its trainable heads")
    }
    let positions = model.configuration.maximumPositions
    guard options.maximumLength <= positions else {
      throw TrainingError(
        "sequences of \(options.maximumLength) tokens are longer than the model's \(positions) "
          + "positions: --max-length; give \(positions) or less")
    }
    self.model = model
    self.corpus = corpus
    self.budget = budget
    workers = Workers(count: options.threads)
    objective = PretrainingObjective(
      encoder: model.encoder, maskedTokens: maskedTokens,
      bagOfWords: usesBag ? model.bagOfWordsHead : nil,
      bagOfWordsTargets: usesBag ? BagOfWordsTargets(corpus) : nil,
      bagOfWordsWeight: options.bagOfWordsWeight,
      masking: MaskedLanguageModeling(rate: options.maskRate, wholeWord: options.wholeWord),
      crops: options.cropWeight ?? 0 > 0 ? TextCrops() : nil, cropWeight: options.cropWeight ?? 0,
      corpus: corpus)
    var adamW = AdamWConfiguration()
    adamW.beta2 = 0.98
    adamW.epsilon = 1e-6
    adamW.weightDecay = options.weightDecay
    optimizer = Optimizer(
      weights: model.weights, configuration: adamW, clipNorm: options.clipNorm, workers: workers)
    schedule = LearningRateSchedule(peak: options.learningRate, warmup: options.warmup)
    order = SequenceOrder(corpus.training, seed: options.seed)
    progress = PretrainingProgress(options: options, corpusFingerprint: corpus.fingerprint)
    progress.budget = budget
    arenas = (0..<workers.count).map { _ in Arena<Float>(capacity: 0) }
    validator = PretrainingValidator(objective: objective, corpus: corpus, seed: options.seed)
    best = ParameterStore(model.weights.table)
    best.copy(from: model.weights)
  }

  /// Takes up a run where its last checkpoint left it; `seconds` is how long it had taken.
  ///
  /// - Throws: ``TrainingError`` when the corpus is another one.
  public func resume(
    _ saved: PretrainingProgress, best bestWeights: ParameterStore<Float>,
    first: ParameterStore<Float>, second: ParameterStore<Float>, seconds: Double
  ) throws {
    guard saved.corpusFingerprint == corpus.fingerprint else {
      throw TrainingError(
        "the corpus or the vocabulary isn't the one the run began with: --resume; give the same "
          + "files in the same order, or start anew with --from")
    }
    progress = saved
    progress.budget = budget
    order.position = saved.position
    optimizer.stepCount = saved.step
    optimizer.first.copy(from: first)
    optimizer.second.copy(from: second)
    best.copy(from: bestWeights)
    secondsBefore = seconds
  }

  /// Trains until the budget is used up or `onEvent` says stop.
  ///
  /// `save` is called every `saveEvery` steps, or every three minutes where it is nil, and at the end.
  /// Returns whether the budget was used up.
  ///
  /// - Throws: ``TrainingError`` when the loss isn't finite any more, and what the closures throw.
  public func run(
    saveEvery: Int?, onEvent: (TrainingEvent) throws -> TrainingDecision,
    save: (Snapshot) throws -> Void
  ) throws -> Bool {
    let start = ContinuousClock.now
    var lastSave = start
    // Work and time of the steps alone since the last record: validation and saving aren't training.
    var stepping = (tokens: 0, seconds: 0.0)
    var stopped = false
    func seconds() -> Double { secondsBefore + (ContinuousClock.now - start).inSeconds }
    var fraction = share(seconds())
    while fraction < 1 && !stopped {
      let stepStart = seconds()
      let tokensBefore = progress.tokens
      let outcome = try step(seconds: stepStart)
      let now = seconds()
      lastStepSeconds = now - stepStart
      stepping.tokens += progress.tokens - tokensBefore
      stepping.seconds += lastStepSeconds
      fraction = share(now)
      let isLast = fraction >= 1
      let validation = try validateIfDue(fraction: fraction, isLast: isLast)
      let isLogged = isLogDue(fraction) || isLast || progress.step == 1 || validation != nil
      let record = record(
        outcome, validation: validation, seconds: now,
        tokensPerSecond: Double(stepping.tokens) / max(stepping.seconds, 1e-9))
      if isLogged {
        progress.pending = .init()
        progress.records += 1
        stepping = (0, 0)
      }
      stopped = try onEvent(.step(record, fraction: fraction, isLogged: isLogged)) == .stop
      let isDue =
        saveEvery.map { progress.step % $0 == 0 }
        ?? ((ContinuousClock.now - lastSave).inSeconds > 180)
      if isDue || isLast || stopped {
        try save(snapshot(seconds: now))
        lastSave = ContinuousClock.now
        if try onEvent(.saved(step: progress.step)) == .stop { stopped = true }
      }
    }
    return fraction >= 1
  }

  private func share(_ seconds: Double) -> Double {
    budget.fraction(step: progress.step, epochs: order.epochs, seconds: seconds)
  }

  private func snapshot(seconds: Double) -> Snapshot {
    var saved = progress
    saved.position = order.position
    if case .minutes = budget { saved.seconds = seconds }
    if saved.bestValidationLoss == nil { best.copy(from: model.weights) }
    return Snapshot(
      progress: saved, weights: model.weights, first: optimizer.first, second: optimizer.second,
      best: best)
  }

  private struct StepOutcome {
    var losses: PretrainingObjective.Losses
    var learningRate: Double
    var gradientNorm: Double
  }

  private func step(seconds: Double) throws -> StepOutcome {
    let before = share(seconds)
    let options = progress.options
    let batch = order.next(tokens: options.batchTokens, length: corpus.length)
    let after = budget.fraction(
      step: progress.step + 1, epochs: order.epochs, seconds: seconds + lastStepSeconds)
    let parts = SequenceOrder.balance(batch, workers: workers.count, length: corpus.length)
    let step = UInt64(progress.step)
    let micros = workers.collect { worker in
      var generator = SeededGenerator(
        seed: options.seed, stream: (step << 16 | UInt64(worker) << 1) &+ 0x4D4C_4D00_0000_0000)
      return self.objective.prepare(parts[worker], using: &generator)
    }
    let maskedTotal = micros.reduce(0) { $0 + $1.masked.positions.count }
    let textTotal = micros.reduce(0) { $0 + ($1.bag.map { $0.offsets.count - 1 } ?? 0) }
    let pairTotal = micros.reduce(0) { $0 + $1.pairs.count }
    let configuration = model.configuration
    let all = workers.collect { worker in
      let dropout = DropoutPlan(
        hiddenRate: options.dropout ?? configuration.hiddenDropout,
        attentionRate: options.dropout ?? configuration.attentionDropout,
        key: splitMix64Finalizer(options.seed &+ (step << 16 | UInt64(worker))))
      return self.objective.run(
        micros[worker], weights: self.model.weights,
        gradients: self.optimizer.gradients[worker], maskedTotal: maskedTotal,
        textTotal: textTotal, pairTotal: pairTotal, arena: self.arenas[worker], dropout: dropout)
    }
    var losses = PretrainingObjective.Losses()
    for part in all { losses += part }
    let rate = schedule.rate(fraction: before, stepShare: max(0, after - before))
    let norm = optimizer.step(learningRate: rate)
    progress.step += 1
    guard losses.masked.isFinite, losses.bagOfWords.isFinite, losses.crops.isFinite, norm.isFinite
    else {
      throw diverged()
    }
    let tokens = micros.reduce(0) { $0 + $1.tokenCount }
    progress.tokens += tokens
    progress.pending.steps += 1
    progress.pending.masked += losses.maskedMean
    progress.pending.bagOfWords += losses.bagOfWordsMean
    if options.cropWeight != nil {
      progress.pending.crops = (progress.pending.crops ?? 0) + losses.cropMean
    }
    progress.pending.tokens += tokens
    return StepOutcome(losses: losses, learningRate: rate, gradientNorm: norm)
  }

  private func validateIfDue(fraction: Double, isLast: Bool) throws -> ValidationRecord? {
    guard !corpus.validation.isEmpty else { return nil }
    let due = Int(fraction * Double(progress.options.validationCount))
    guard due > progress.validations || isLast else { return nil }
    progress.validations = due
    let record = validator.run(weights: model.weights, arenas: arenas, workers: workers)
    guard record.loss.isFinite else { throw diverged() }
    if record.loss < progress.bestValidationLoss ?? .infinity {
      progress.bestValidationLoss = record.loss
      (progress.bestStep, progress.bestTokens) = (progress.step, progress.tokens)
      best.copy(from: model.weights)
    }
    return record
  }

  private func diverged() -> TrainingError {
    TrainingError(
      "the loss isn't finite any more: step \(progress.step); start anew with a --learning-rate "
        + "below \(progress.options.learningRate)")
  }

  private func isLogDue(_ fraction: Double) -> Bool {
    let due = Int(fraction * Double(progress.options.logCount))
    guard due > progress.logged else { return false }
    progress.logged = due
    return true
  }

  private func record(
    _ outcome: StepOutcome, validation: ValidationRecord?, seconds: Double,
    tokensPerSecond: Double
  ) -> TrainingRecord {
    let pending = progress.pending
    let steps = Double(max(1, pending.steps))
    let weight = progress.options.bagOfWordsWeight
    let cropWeight = progress.options.cropWeight ?? 0
    let crops = pending.crops ?? 0
    return TrainingRecord(
      step: progress.step, epoch: order.epochs,
      loss: (pending.masked + weight * pending.bagOfWords + cropWeight * crops) / steps,
      maskedLoss: pending.masked / steps,
      bagOfWordsLoss: weight > 0 ? pending.bagOfWords / steps : nil,
      cropLoss: cropWeight > 0 ? crops / steps : nil,
      learningRate: outcome.learningRate, gradientNorm: outcome.gradientNorm,
      tokens: progress.tokens, tokensPerSecond: tokensPerSecond,
      seconds: seconds, validation: validation)
  }
}

extension Pretrainer: @unchecked Sendable {}
