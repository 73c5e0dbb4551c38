/// A strict cold-item split: no behaviour on a cold item is in the training rows.
///
/// Portable: decided by hashes of ids alone, so every language and row order gives the same split.
/// - cold: the share `coldFraction` of the items with positives whose hash of `seed|cold|item` is least
///   (or the newest ones); the next `coldValidationFraction` of them are for tuning.
/// - warm: the other items with positives; a row is held out when the hash of `seed|warm|user|item`
///   falls into the first `warmFraction` of its range, but an item's or a user's only training positive
///   stays in training.
public struct ColdSplit: Sendable {
  /// Rows of warm items, for training.
  public var train: Behaviors
  /// Rows of warm items, held out.
  public var testWarm: Behaviors
  /// All rows of cold items.
  public var testCold: Behaviors
  /// All rows of the cold items for tuning.
  public var validationCold: Behaviors
  /// The warm items' numbers, in the order of their ids.
  public var warmItems: [Int32]
  /// The cold items' numbers, in the order of their ids.
  public var coldItems: [Int32]
  /// The numbers of the cold items for tuning, in the order of their ids.
  public var validationColdItems: [Int32]
  /// The options and counts, as in split.json.
  public var info: SplitInfo

  /// Which items become cold.
  public enum ColdBy: String, Sendable, Codable {
    /// Those with the least hash: a random choice.
    case hash
    /// Those seen first last: the newest.
    case firstSeen = "first_seen"
    /// Those whose first positive is from the time of the cut on.
    case until
  }

  /// Which rows of warm items are held out.
  public enum WarmBy: String, Sendable, Codable {
    /// Those with a small hash: a random choice.
    case hash
    /// The last ones of each user.
    case last
    /// Those from the time of the cut on.
    case until
  }

  /// How to split.
  public struct Options: Sendable {
    /// Part of the seed of all hashes.
    public var seed = 42
    /// The share of the items that become cold.
    public var coldFraction = 0.2
    /// The share of the items that become cold and are for tuning.
    public var coldValidationFraction = 0.05
    /// The share of the warm items' rows that is held out.
    public var warmFraction = 0.2
    /// An item with fewer positives never becomes cold.
    public var minimumItemPositives = 1
    /// Which items become cold.
    public var coldBy = ColdBy.hash
    /// Which rows of warm items are held out.
    public var warmBy = WarmBy.hash
    /// Cuts the data at this time instead: rows from then on are held out, items whose first positive is
    /// from then on are cold, and the share `coldValidationFraction` of the other items, the newest, is
    /// for tuning. Nobody's future is in training, so a user may have no training row.
    public var until: Double?

    /// Creates the default options.
    public init() {}
  }

  /// The users of any part, in the order of their ids.
  public var usersInOrder: [Int32] {
    var isUser = [Bool](repeating: false, count: train.users.count)
    for part in [train, testWarm, testCold, validationCold] {
      for user in part.userIndex { isUser[Int(user)] = true }
    }
    return train.users.sortedIndices().filter { isUser[Int($0)] }
  }

  /// The positive rule of the split, for its labels.
  public var positiveRule: PositiveRule { PositiveRule(threshold: info.positiveLabel) }

  /// Splits `behaviors`; repeated pairs of user and item are reduced to one row first (the highest
  /// label, then the earliest time).
  ///
  /// - Throws: `SplitError` for shares outside 0...1 and for behaviours without positives.
  public static func make(
    _ behaviors: Behaviors, positive: PositiveRule, options: Options = Options()
  ) throws -> ColdSplit {
    try options.validate()
    let split = ColdSplitMaker(
      behaviors: behaviors.selecting(behaviors.sortedDistinctRows()), positive: positive,
      options: options
    ).make()
    guard split.info.itemsWithPositives > 0 else { throw SplitError.noPositives(positive.reason) }
    return split
  }
}

extension ColdSplit.Options {
  fileprivate func validate() throws {
    for (flag, share) in [
      ("--cold", coldFraction), ("--cold-validation", coldValidationFraction),
      ("--warm", warmFraction),
    ] where !(share >= 0 && share <= 1) {
      throw SplitError.share(flag, share)
    }
    if coldFraction + coldValidationFraction > 1 {
      throw SplitError.share(
        "--cold + --cold-validation", coldFraction + coldValidationFraction)
    }
  }
}

/// Why behaviours can't be split.
public enum SplitError: Error, CustomStringConvertible, Equatable {
  /// A share is not between 0 and 1.
  case share(String, Double)
  /// No row is positive by this rule.
  case noPositives(String)

  /// What is wrong and what to do.
  public var description: String {
    switch self {
    case .share(let flag, let value): "\(flag) is \(value); give a share between 0 and 1"
    case .noPositives(let rule):
      "no behaviour is positive by the rule: \(rule); give another threshold with --positive-label"
    }
  }
}
