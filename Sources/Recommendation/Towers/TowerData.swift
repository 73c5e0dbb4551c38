/// What the towers are trained on.
public struct TowerData: Sendable {
  /// Each item's text vectors and features, (items, itemInputs).
  public var itemInputs: DenseMatrix
  /// Each user's features, (users, userInputs); `nil` without user features.
  public var userFeatures: DenseMatrix?
  /// Positive behaviours, (users, items).
  public var positives: SparseMatrix
  /// All labelled behaviours, for pointwise losses.
  public var labelled: LabelledRows
  /// Items that may be sampled as negatives: those with a positive, ascending.
  public var warmItems: [Int32]

  /// Behaviours with labels, column by column.
  public struct LabelledRows: Sendable {
    /// User of each row.
    public var users: [Int32] = []
    /// Item of each row.
    public var items: [Int32] = []
    /// Label of each row: 0 or 1, or a rating.
    public var labels: [Float] = []

    /// Creates an empty table.
    public init() {}

    /// Number of rows.
    public var count: Int { users.count }
  }

  /// Creates the data; the warm items are those with a positive.
  public init(
    itemInputs: DenseMatrix, userFeatures: DenseMatrix?, positives: SparseMatrix,
    labelled: LabelledRows
  ) {
    self.itemInputs = itemInputs
    self.userFeatures = userFeatures
    self.positives = positives
    self.labelled = labelled
    let counts = positives.columnSums()
    warmItems = counts.indices.filter { counts[$0] > 0 }.map { Int32($0) }
  }
}
