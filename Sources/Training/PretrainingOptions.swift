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
  /// Weight of the contrast of two crops of a text; nil or 0 leaves it out.
  public var cropWeight: Double?
  /// Seed of everything random in the run.
  public var seed: UInt64 = 42
  /// Workers, one micro-batch each; a different number gives different sums.
  public var threads = 1
  /// How often validation runs in the whole of the run.
  public var validationCount = 20
  /// How many records the log gets in the whole of the run.
  public var logCount = 200
  /// Dropout; nil takes the rates of the model's configuration.
  public var dropout: Double?
  /// Longest sequence, [CLS] and [SEP] included.
  public var maximumLength = 128

  /// Creates the defaults.
  public init() {}
}
