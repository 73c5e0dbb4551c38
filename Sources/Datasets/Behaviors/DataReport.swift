/// Counts of all that was read, dropped and found in a data set.
public struct DataReport: Codable, Sendable, Equatable {
  // MARK: Reading

  /// Well-formed rows of the behaviours file.
  public var rowsRead = 0
  /// Malformed rows that were left out.
  public var badRows = 0
  /// What was wrong with the first of them.
  public var firstBadRow: String?
  /// Rows left out because the user or the item is empty.
  public var missingIDs = 0
  /// Rows whose empty label was taken for 1.
  public var missingLabels = 0
  /// Rows left out because the label is infinite or not a number.
  public var nonFiniteLabels = 0
  /// Rows without a usable time (kept).
  public var missingTimestamps = 0
  /// Rows left out because the items file doesn't have their item.
  public var unknownItemRows = 0
  /// Distinct items of those rows.
  public var unknownItems = 0
  /// Whether the file has a column of labels.
  public var hasLabels = false

  // MARK: Cleaning

  /// Rows left out because another row has the same user and item.
  public var duplicates = 0
  /// Rows left out because the label is far outside the scale of the others.
  public var outOfRangeLabels = 0
  /// Rows with the label that stands for "not rated" (kept unless asked otherwise).
  public var unratedLabels = 0
  /// Users left out for implausible activity, and their rows.
  public var implausibleUsers = 0
  /// Rows of the users left out for implausible activity.
  public var implausibleUserRows = 0
  /// Items left out for implausible activity.
  public var implausibleItems = 0
  /// Rows of the items left out for implausible activity.
  public var implausibleItemRows = 0
  /// Rows left out because user or item has fewer than k rows.
  public var coreRows = 0
  /// Rows that remain.
  public var rowsKept = 0

  // MARK: What remains

  /// Users with at least one row.
  public var users = 0
  /// Items in the item table.
  public var items = 0
  /// Items with at least one row.
  public var itemsWithBehaviors = 0
  /// Rows that count as positive.
  public var positives = 0
  /// How a positive was told.
  public var positiveRule = ""
  /// Rows / (users with rows x items with rows).
  public var density = 0.0
  /// Labels and how often each occurs: up to 20 distinct labels, else 10 ranges of equal width.
  public var labels: [LabelCount] = []
  /// Earliest and latest time.
  public var timeRange: [Double]?
  /// The texts of the items.
  public var texts: TextStatistics?

  /// How many rows have a label, or one in a range.
  public struct LabelCount: Codable, Sendable, Equatable {
    /// The label, or the range's lower bound.
    public var label: Float
    /// The range's upper bound, where it is a range.
    public var upperBound: Float?
    /// The number of rows.
    public var count: Int
  }

  /// What the items' texts are like.
  public struct TextStatistics: Codable, Sendable, Equatable {
    /// Words (parts between blanks) at the 0, 5, 25, 50, 75, 95 and 100% points of the items with text.
    public var wordQuantiles: [Int]
    /// Items whose text is empty or blank.
    public var empty: Int
    /// Items whose text another item before them has too.
    public var duplicates: Int
  }

  /// Creates a report of nothing.
  public init() {}

  /// The rows left out on reading, in words: `3 of unknown items, 1 without an id`.
  public var droppedInWords: String {
    let parts = [
      (badRows, "malformed"), (missingIDs, "without a user or an item"),
      (nonFiniteLabels, "with a label that is not finite"), (unknownItemRows, "of unknown items"),
    ]
    let words = parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    return words.isEmpty ? "none left out" : words.joined(separator: ", ")
  }
}
