/// How feature columns become numbers: fitted on one table, applied to others.
///
/// - A column is numeric when all its values parse as finite numbers and it has more than 20 distinct
///   ones or one with a fraction; it becomes (x - mean) / deviation, cut to -5...5, and a missing or
///   unreadable value the mean, 0.
/// - Any other column is categorical; `|` separates several values of a row (blanks around them go).
///   Each category of at least `minimumCount` rows, the `maximumCategories` most frequent ones, is one
///   0/1 number; an unknown category is all zeros.
/// - A column that tells nothing is ignored: no category left, or one that all rows have; a numeric one
///   without deviation.
public struct FeatureSchema: Codable, Sendable, Equatable {
  /// One column that is used.
  public struct Column: Codable, Sendable, Equatable {
    /// The column's name in the file.
    public var name: String
    /// What it holds.
    public var encoding: Encoding
  }

  /// How a column's values become numbers.
  public enum Encoding: Codable, Sendable, Equatable {
    /// One number: standardised.
    case numeric(mean: Double, deviation: Double)
    /// A number for each category, with the rows that had it when the schema was fitted.
    case categorical(categories: [String], counts: [Int])
  }

  /// The columns that are used, in the table's order.
  public var columns: [Column]
  /// The names of the columns that are not.
  public var ignored: [String]

  /// More distinct values than this make a column of whole numbers numeric.
  public static let numericDistinct = 20

  /// The numbers a row becomes.
  public var width: Int { columns.reduce(0) { $0 + $1.width } }

  /// A name for each number: `year`, `genre=Drama`.
  public var featureNames: [String] {
    columns.flatMap { column in
      switch column.encoding {
      case .numeric: [column.name]
      case .categorical(let categories, _): categories.map { "\(column.name)=\($0)" }
      }
    }
  }

  /// Fits a schema on `table`.
  ///
  /// - Parameters:
  ///   - rows: the rows to fit on, the warm items for example; nil takes all.
  ///   - maximumCategories: the most categories of a column that are kept.
  ///   - minimumCount: a category in fewer rows is left out.
  public static func fit(
    on table: FeatureTable, rows: [Int]? = nil, maximumCategories: Int = 512, minimumCount: Int = 2
  ) -> FeatureSchema {
    var schema = FeatureSchema(columns: [], ignored: [])
    for column in table.columns {
      let values = rows.map { rows in rows.map { column.values[$0] } } ?? column.values
      let encoding =
        fitNumeric(values)
        ?? fitCategories(values, maximum: maximumCategories, minimumCount: minimumCount)
      if let encoding, encoding.isInformative(rows: values.count) {
        schema.columns.append(Column(name: column.name, encoding: encoding))
      } else {
        schema.ignored.append(column.name)
      }
    }
    return schema
  }

  /// The rows of `table` as numbers, (rows, `width`) in row-major order; a column that `table` doesn't
  /// have counts as missing everywhere.
  public func encode(_ table: FeatureTable) -> [Float] {
    let width = width
    var result = [Float](repeating: 0, count: table.rowCount * width)
    var offset = 0
    for column in columns {
      if let values = table.column(named: column.name)?.values {
        switch column.encoding {
        case .numeric(let mean, let deviation):
          for (row, value) in values.enumerated() {
            guard let number = number(value), deviation > 0 else { continue }
            result[row * width + offset] = Float(min(5, max(-5, (number - mean) / deviation)))
          }
        case .categorical(let categories, _):
          let table = IDTable(categories)
          for (row, value) in values.enumerated() {
            for part in parts(value) {
              if let category = table.index(of: part) {
                result[row * width + offset + category] = 1
              }
            }
          }
        }
      }
      offset += column.width
    }
    return result
  }

  // MARK: Fitting

  /// nil when the column isn't numeric.
  private static func fitNumeric(_ values: [String]) -> Encoding? {
    let present = values.filter { !isBlank($0) }
    let numbers = present.compactMap(number)
    guard !numbers.isEmpty, numbers.count == present.count else { return nil }
    let hasFraction = numbers.contains { $0 != $0.rounded() }
    guard hasFraction || Set(numbers).count > numericDistinct else { return nil }
    let mean = numbers.reduce(0, +) / Double(numbers.count)
    let variance = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(numbers.count)
    guard mean.isFinite && variance.isFinite else { return .numeric(mean: 0, deviation: 0) }
    return .numeric(mean: mean, deviation: variance.squareRoot())
  }

  private static func fitCategories(
    _ values: [String], maximum: Int, minimumCount: Int
  ) -> Encoding? {
    var table = IDTable()
    var counts: [Int] = []
    var lastRow: [Int] = []
    for (row, value) in values.enumerated() {
      for part in parts(value) {
        let category = table.insert(part)
        if category == counts.count {
          counts.append(0)
          lastRow.append(-1)
        }
        if lastRow[category] != row { counts[category] += 1 }
        lastRow[category] = row
      }
    }
    let place = ranks(table.sortedIndices())
    let frequent = counts.indices.filter { counts[$0] >= minimumCount }
      .sorted { (-counts[$0], place[$0]) < (-counts[$1], place[$1]) }
      .prefix(maximum)
    if frequent.isEmpty { return nil }
    return .categorical(
      categories: frequent.map { table[$0] }, counts: frequent.map { counts[$0] })
  }
}

extension FeatureSchema.Column {
  /// The numbers the column becomes.
  public var width: Int {
    switch encoding {
    case .numeric: 1
    case .categorical(let categories, _): categories.count
    }
  }
}

extension FeatureSchema.Encoding {
  fileprivate func isInformative(rows: Int) -> Bool {
    switch self {
    case .numeric(_, let deviation): deviation > 0
    case .categorical(_, let counts): counts.contains { $0 < rows }
    }
  }
}

/// The finite number that a value is, or nil.
private func number(_ value: String) -> Double? {
  var value = value
  guard let number = value.withUTF8(parseDouble), number.isFinite else { return nil }
  return number
}

/// The parts of a value between `|`, without blanks around them and without empty ones.
private func parts(_ value: String) -> [String] {
  value.utf8.split(separator: UInt8(ascii: "|")).compactMap { part in
    var part = part
    while part.first == 0x20 { part = part.dropFirst() }
    while part.last == 0x20 { part = part.dropLast() }
    return part.isEmpty ? nil : String(part)
  }
}
