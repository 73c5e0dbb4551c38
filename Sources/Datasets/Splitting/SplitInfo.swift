/// The contents of split.json: options and counts, under the keys of the file.
public struct SplitInfo: Sendable, Equatable, Codable {
  /// The seed of all hashes; nil for a split that was made elsewhere.
  public var seed: Int?
  /// The share of cold items asked for.
  public var coldFraction: Double?
  /// The share of held-out rows of warm items asked for; 0.2 when the file doesn't say.
  public var warmFraction: Double?
  /// The share of cold items for tuning asked for.
  public var coldValidationFraction: Double?
  /// A label of at least this is positive.
  public var positiveLabel: Double
  /// An item with fewer positives never became cold.
  public var minimumItemPositives: Int?
  /// Which items became cold.
  public var coldBy: ColdSplit.ColdBy?
  /// Which rows of warm items are held out.
  public var warmBy: ColdSplit.WarmBy?
  /// The time at which the data was cut; nil when it wasn't.
  public var until: Double?
  /// Users with a row.
  public var users: Int?
  /// Items with a positive row.
  public var itemsWithPositives: Int
  /// Warm items.
  public var warmItems: Int
  /// Cold items.
  public var coldItems: Int
  /// Cold items for tuning.
  public var validationColdItems: Int
  /// Positive rows for training.
  public var trainPositives: Int
  /// Held-out positive rows of warm items.
  public var testWarmPositives: Int
  /// Positive rows of cold items.
  public var testColdPositives: Int
  /// Positive rows of cold items for tuning.
  public var validationColdPositives: Int

  enum CodingKeys: String, CodingKey, CaseIterable {
    case seed
    case coldFraction = "cold_frac"
    case warmFraction = "warm_frac"
    case coldValidationFraction = "cold_val_frac"
    case positiveLabel = "pos_label"
    case minimumItemPositives = "min_item_pos"
    case coldBy = "cold_by"
    case warmBy = "warm_by"
    case until
    case users
    case itemsWithPositives = "items_with_positives"
    case warmItems = "warm_items"
    case coldItems = "cold_items"
    case validationColdItems = "val_cold_items"
    case trainPositives = "train_pos"
    case testWarmPositives = "test_warm_pos"
    case testColdPositives = "test_cold_pos"
    case validationColdPositives = "val_cold_pos"
  }

  /// The text of split.json: Python's `json.dump(indent=1)` of the same values in the same order.
  public var json: String {
    let values: [(CodingKeys, String?)] = [
      (.seed, seed.map { "\($0)" }), (.coldFraction, coldFraction.map { "\($0)" }),
      (.warmFraction, warmFraction.map { "\($0)" }),
      (.coldValidationFraction, coldValidationFraction.map { "\($0)" }),
      (.positiveLabel, "\(positiveLabel)"),
      (.minimumItemPositives, minimumItemPositives.map { "\($0)" }),
      (.coldBy, coldBy.map { "\"\($0.rawValue)\"" }),
      (.warmBy, warmBy.map { "\"\($0.rawValue)\"" }),
      (.until, until.map { "\($0)" }),
      (.users, users.map { "\($0)" }), (.itemsWithPositives, "\(itemsWithPositives)"),
      (.warmItems, "\(warmItems)"), (.coldItems, "\(coldItems)"),
      (.validationColdItems, "\(validationColdItems)"), (.trainPositives, "\(trainPositives)"),
      (.testWarmPositives, "\(testWarmPositives)"), (.testColdPositives, "\(testColdPositives)"),
      (.validationColdPositives, "\(validationColdPositives)"),
    ]
    let lines = values.compactMap { key, value in value.map { " \"\(key.rawValue)\": \($0)" } }
    return "{\n" + lines.joined(separator: ",\n") + "\n}"
  }
}

extension SplitInfo {
  /// Reads split.json, also of a split made elsewhere, where only some of the keys are there.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    seed = try values.decodeIfPresent(Int.self, forKey: .seed)
    coldFraction = try values.decodeIfPresent(Double.self, forKey: .coldFraction)
    warmFraction = try values.decodeIfPresent(Double.self, forKey: .warmFraction)
    coldValidationFraction = try values.decodeIfPresent(
      Double.self, forKey: .coldValidationFraction)
    positiveLabel = try values.decode(Double.self, forKey: .positiveLabel)
    minimumItemPositives = try values.decodeIfPresent(Int.self, forKey: .minimumItemPositives)
    coldBy = try values.decodeIfPresent(ColdSplit.ColdBy.self, forKey: .coldBy)
    warmBy = try values.decodeIfPresent(ColdSplit.WarmBy.self, forKey: .warmBy)
    until = try values.decodeIfPresent(Double.self, forKey: .until)
    users = try values.decodeIfPresent(Int.self, forKey: .users)
    func count(_ key: CodingKeys) throws -> Int {
      try values.decodeIfPresent(Int.self, forKey: key) ?? 0
    }
    itemsWithPositives = try count(.itemsWithPositives)
    warmItems = try count(.warmItems)
    coldItems = try count(.coldItems)
    validationColdItems = try count(.validationColdItems)
    trainPositives = try count(.trainPositives)
    testWarmPositives = try count(.testWarmPositives)
    testColdPositives = try count(.testColdPositives)
    validationColdPositives = try count(.validationColdPositives)
  }
}
