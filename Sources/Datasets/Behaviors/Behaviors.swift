/// Behaviours of users on items as typed columns; all columns have `count` rows.
public struct Behaviors: Sendable {
  /// The users' ids; `userIndex` points into it.
  public var users: IDTable
  /// The items' ids, which `itemIndex` points into; the item table's when one was given.
  public var items: IDTable
  /// The user of each row.
  public var userIndex: [Int32]
  /// The item of each row.
  public var itemIndex: [Int32]
  /// The label of each row: a rating, a count, or 1 where the file has no labels.
  public var labels: [Float]
  /// The time of each row, mostly in seconds since 1970; nil without a column of times.
  ///
  /// NaN where it is missing.
  public var timestamps: [Double]?

  /// Creates behaviours from their columns, which are equally long.
  public init(
    users: IDTable, items: IDTable, userIndex: [Int32], itemIndex: [Int32], labels: [Float],
    timestamps: [Double]? = nil
  ) {
    precondition(
      userIndex.count == itemIndex.count && userIndex.count == labels.count
        && (timestamps?.count ?? labels.count) == labels.count,
      "columns of different lengths")
    self.users = users
    self.items = items
    self.userIndex = userIndex
    self.itemIndex = itemIndex
    self.labels = labels
    self.timestamps = timestamps
  }

  /// The number of rows.
  public var count: Int { userIndex.count }

  /// The given rows in the given order, under the same id tables.
  public func selecting(_ rows: [Int32]) -> Behaviors {
    Behaviors(
      users: users, items: items, userIndex: rows.map { userIndex[Int($0)] },
      itemIndex: rows.map { itemIndex[Int($0)] }, labels: rows.map { labels[Int($0)] },
      timestamps: timestamps.map { times in rows.map { times[Int($0)] } })
  }

  /// The rows for which `isKept` is true, in their order.
  public func filtering(_ isKept: [Bool]) -> Behaviors {
    precondition(isKept.count == count, "\(isKept.count) decisions for \(count) rows")
    return selecting((0..<Int32(count)).filter { isKept[Int($0)] })
  }
}
