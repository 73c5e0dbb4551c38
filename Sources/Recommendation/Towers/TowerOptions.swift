/// How the towers are trained.
public struct TowerOptions: Sendable, Codable, Equatable {
  /// The loss.
  public var loss = TowerLoss.softmax
  /// Width of the vectors.
  public var width = 128
  /// Width of the item tower's hidden layer.
  public var hidden = 256
  /// Users (or rows) in one optimizer step, all workers together.
  public var batch = 512
  /// Uniform negatives beside the targets of the batch, a worker.
  public var negatives = 512
  /// Targets of one user in one epoch, at most.
  public var targetsPerUser = 10
  /// Items of a history that a step looks at, at most.
  public var historyLength = 30
  /// Share of history embeddings that are dropped in training.
  public var embeddingDropout = 0.5
  /// Dropout on the items' inputs.
  public var inputDropout = 0.2
  /// AdamW's learning rate.
  public var learningRate = 1e-3
  /// AdamW's decoupled weight decay.
  public var weightDecay = 0.01
  /// Epochs without a better validation before training stops.
  public var patience = 3
  /// Largest number of epochs.
  public var maximumEpochs = 30
  /// Seed of everything random.
  public var seed: UInt64 = 42

  /// Creates the defaults.
  public init() {}
}
