/// Everything that decides a pretraining run besides model, corpus and budget.
public struct PretrainingOptions: Sendable, Codable, Equatable {
  /// Real tokens in one optimizer step, all workers together.
  public var batchTokens = 4096
  /// Peak learning rate.
  public var learningRate = 1e-3
  /// Share of the run that warms up.
  public var warmup = 0.06
  /// Decoupled weight decay, on weight matrices only.
  public var weightDecay = 0.01
  /// Largest gradient norm.
  public var clipNorm = 1.0
  /// Share of pieces that are masked.
  public var maskRate = 0.15
  /// Whether whole words are masked.
  public var wholeWord = false
  /// Weight of the bag-of-words objective beside masked tokens; 0 leaves it out.
  public var bagOfWordsWeight = 0.0
  /// Seed of everything random in the run.
  public var seed: UInt64 = 42
  /// Workers, one micro-batch each; a different number gives different sums.
  public var threads = 1
  /// How often validation runs in the whole of the run.
  public var validationCount = 20
  /// How many records the log gets in the whole of the run.
  public var logCount = 200
  /// Longest sequence, [CLS] and [SEP] included.
  public var maximumLength = 128

  /// Creates the defaults.
  public init() {}
}

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
    var tokens = 0
  }
}
