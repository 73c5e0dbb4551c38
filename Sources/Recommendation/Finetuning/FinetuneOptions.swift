public import Datasets
public import EncoderModel

/// Everything that decides a fine-tuning run besides its data and its encoder.
public struct FinetuneOptions: Sendable, Codable, Equatable {
  /// The towers and their loss.
  public var towers = TowerOptions()
  /// The adapters.
  public var adapters = AdapterTrainer.AdapterOptions()
  /// Which weights of the encoder learn.
  public var adapterKind = AdapterKind.bottleneck
  /// Minutes for training towers and adapters, nil for no limit; what comes before and after isn't
  /// counted.
  public var minutes: Double? = 8
  /// Longest text in tokens.
  public var maximumLength = 128
  /// Seed of everything random.
  public var seed: UInt64 = 42
  /// Threads.
  public var threads = 1

  /// Creates the defaults.
  public init() {}
}

/// What fine-tuning learns from.
public struct FinetuneInput: Sendable {
  /// The catalogue.
  public var items: ItemTable
  /// Cleaned behaviours, their items numbered as in ``items``.
  public var behaviors: Behaviors
  /// Users with features, or nil.
  public var users: UserTable?
  /// What counts as positive.
  public var rule: PositiveRule
  /// What was found and dropped on reading.
  public var report: DataReport
  /// Vectors of the items from elsewhere, further inputs of the item tower.
  public var itemVectors: [ItemVectors]

  /// Creates an input.
  public init(
    items: ItemTable, behaviors: Behaviors, users: UserTable?, rule: PositiveRule,
    report: DataReport, itemVectors: [ItemVectors] = []
  ) {
    self.items = items
    self.behaviors = behaviors
    self.users = users
    self.rule = rule
    self.report = report
    self.itemVectors = itemVectors
  }
}
