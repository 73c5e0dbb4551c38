/// Feature columns of items or users as they stand in the file; row i belongs to id i.
public struct FeatureTable: Sendable, Equatable {
  /// One column: its name and a value for each row, "" where there is none.
  public struct Column: Sendable, Equatable {
    /// The column's name, without RecBole's type.
    public let name: String
    /// A value for each row.
    public internal(set) var values: [String]

    /// Creates a column.
    public init(name: String, values: [String]) {
      self.name = name
      self.values = values
    }
  }

  /// The columns in the order of the file; all have `rowCount` values.
  public internal(set) var columns: [Column]
  /// The number of rows.
  public internal(set) var rowCount: Int

  /// Creates a table; the columns have equally many values.
  public init(columns: [Column], rowCount: Int) {
    for column in columns {
      precondition(
        column.values.count == rowCount,
        "column \(column.name) has \(column.values.count) values for \(rowCount) rows")
    }
    self.columns = columns
    self.rowCount = rowCount
  }

  /// The column with this name (compared byte by byte), or nil.
  public func column(named name: String) -> Column? {
    columns.first { $0.name.utf8.elementsEqual(name.utf8) }
  }

  /// Some consecutive rows.
  public func rows(_ range: Range<Int>) -> FeatureTable {
    FeatureTable(
      columns: columns.map { Column(name: $0.name, values: Array($0.values[range])) },
      rowCount: range.count)
  }

  /// Appends a row: a value for each column.
  mutating func append(_ row: [String]) {
    for place in columns.indices { columns[place].values.append(row[place]) }
    rowCount += 1
  }

  /// Appends the rows of a table with the same columns.
  mutating func append(_ other: FeatureTable) {
    for place in columns.indices { columns[place].values += other.columns[place].values }
    rowCount += other.rowCount
  }
}
