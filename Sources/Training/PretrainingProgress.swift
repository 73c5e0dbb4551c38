public import EncoderModel
public import Kernels

/// Where a run stands: with weights and moments, all that a resumed run needs.
public struct PretrainingProgress: Sendable, Codable, Equatable {
  /// The run's options; a resumed run keeps them.
  public var options: PretrainingOptions
  /// Identifies the corpus and the vocabulary.
  public var corpusFingerprint: UInt64
  /// Optimizer steps taken.
  public var step = 0
  /// Where the next batch begins.
  public var position = SequenceOrder.Position()
  /// Real tokens seen.
  public var tokens = 0
  /// Lowest validation loss so far.
  public var bestValidationLoss: Double?
  /// The step that had it.
  public var bestStep: Int?
  /// The tokens seen by that step.
  public var bestTokens: Int?
  /// How long the run was to last when its state was written.
  public var budget: TrainingBudget?
  /// Validation passes done.
  public var validations = 0
  /// Share of the log's records that are due, as a count.
  public var logged = 0
  /// Lines of `training.jsonl`.
  public var records = 0
  /// Losses since the last record.
  public var pending = PendingLosses()
  /// Seconds of training, kept only where the budget is a time: the bytes of other runs don't depend
  /// on the clock.
  public var seconds: Double?

  /// Sums since the last logged record.
  public struct PendingLosses: Sendable, Codable, Equatable {
    var steps = 0
    var masked = 0.0
    var bagOfWords = 0.0
    var crops: Double?
    var tokens = 0
  }
}

extension Pretrainer {
  /// What a checkpoint holds; valid until the next step.
  public struct Snapshot {
    /// Where the run stands.
    public let progress: PretrainingProgress
    /// The current weights.
    public let weights: ParameterStore<Float>
    /// AdamW's first moments.
    public let first: ParameterStore<Float>
    /// AdamW's second moments.
    public let second: ParameterStore<Float>
    /// The weights to export: those of the lowest validation loss.
    public let best: ParameterStore<Float>

    /// The step that gave ``best``, and the tokens seen by then.
    public var exported: (step: Int, tokens: Int) {
      (progress.bestStep ?? progress.step, progress.bestTokens ?? progress.tokens)
    }
  }
}
