extension SparseMatrix {
  /// One entry before it has a place in a matrix.
  public struct Entry: Sendable, Equatable {
    /// The row, from 0.
    public var row: Int32
    /// The column, from 0.
    public var column: Int32
    /// The value; 1 marks a positive behaviour.
    public var value: Float

    /// Creates an entry.
    public init(row: Int32, column: Int32, value: Float = 1) {
      self.row = row
      self.column = column
      self.value = value
    }
  }

  /// What becomes of several entries in one place.
  public enum Duplicates: Sendable {
    /// Their values are added.
    case sum
    /// The largest value stays.
    case maximum
    /// The last value stays.
    case last
  }

  /// Builds a matrix from entries in any order, in time linear in their count.
  ///
  /// - Throws: ``SparseMatrixError`` for an entry outside the matrix or a value that isn't finite.
  public init(
    rowCount: Int, columnCount: Int, entries: [Entry], duplicates: Duplicates = .sum
  ) throws {
    try Self.checkSize(rowCount, columnCount)
    for entry in entries {
      guard entry.row >= 0, entry.row < rowCount, entry.column >= 0, entry.column < columnCount
      else {
        throw SparseMatrixError.outside(
          row: Int(entry.row), column: Int(entry.column), rowCount: rowCount,
          columnCount: columnCount)
      }
      guard entry.value.isFinite else {
        throw SparseMatrixError.notFinite(row: Int(entry.row), column: Int(entry.column))
      }
    }
    // Two stable counting sorts: by column, then by row.
    let byColumn = Self.counted(entries.indices, columnCount) { Int(entries[$0].column) }
    let order = Self.counted(byColumn, rowCount) { Int(entries[$0].row) }
    var offsets = [Int](repeating: 0, count: rowCount + 1)
    var columns: [Int32] = []
    var values: [Float] = []
    columns.reserveCapacity(entries.count)
    values.reserveCapacity(entries.count)
    var row = 0
    for n in order {
      let entry = entries[n]
      while row < Int(entry.row) {
        row += 1
        offsets[row] = columns.count
      }
      if columns.count > offsets[row], columns[columns.count - 1] == entry.column {
        let last = values.count - 1
        switch duplicates {
        case .sum: values[last] += entry.value
        case .maximum: values[last] = max(values[last], entry.value)
        case .last: values[last] = entry.value
        }
      } else {
        columns.append(entry.column)
        values.append(entry.value)
      }
    }
    while row < rowCount {
      row += 1
      offsets[row] = columns.count
    }
    self.init(
      trustedRowCount: rowCount, columnCount: columnCount, offsets: offsets, columns: columns,
      values: values)
  }

  /// The elements of `source` by ascending key below `keyCount`, equal keys in their order.
  private static func counted(
    _ source: some Collection<Int>, _ keyCount: Int, _ key: (Int) -> Int
  ) -> [Int] {
    var next = [Int](repeating: 0, count: keyCount + 1)
    for n in source { next[key(n) + 1] += 1 }
    for k in 0..<keyCount { next[k + 1] += next[k] }
    var result = [Int](repeating: 0, count: source.count)
    for n in source {
      let k = key(n)
      result[next[k]] = n
      next[k] += 1
    }
    return result
  }

  /// Builds a matrix of ones from lists of columns, one list a row, in any order and with repeats.
  ///
  /// - Throws: ``SparseMatrixError/outside(row:column:rowCount:columnCount:)``.
  public init(histories: [[Int32]], columnCount: Int) throws {
    var entries: [Entry] = []
    entries.reserveCapacity(histories.reduce(0) { $0 + $1.count })
    for (row, history) in histories.enumerated() {
      for column in history { entries.append(Entry(row: Int32(row), column: column)) }
    }
    try self.init(
      rowCount: histories.count, columnCount: columnCount, entries: entries, duplicates: .last)
  }

  /// The transposed matrix.
  public func transposed() -> SparseMatrix {
    var starts = [Int](repeating: 0, count: columnCount + 1)
    for column in columns { starts[Int(column) + 1] += 1 }
    for c in 0..<columnCount { starts[c + 1] += starts[c] }
    var next = starts
    var newColumns = [Int32](repeating: 0, count: entryCount)
    var newValues = [Float](repeating: 0, count: entryCount)
    for row in 0..<rowCount {
      for n in offsets[row]..<offsets[row + 1] {
        let column = Int(columns[n])
        newColumns[next[column]] = Int32(row)
        newValues[next[column]] = values[n]
        next[column] += 1
      }
    }
    return SparseMatrix(
      trustedRowCount: columnCount, columnCount: rowCount, offsets: starts, columns: newColumns,
      values: newValues)
  }

  /// The rows with the given indices, in that order.
  public func selectingRows(_ rows: [Int32]) -> SparseMatrix {
    var newOffsets = [0]
    newOffsets.reserveCapacity(rows.count + 1)
    var newColumns: [Int32] = []
    var newValues: [Float] = []
    for row in rows {
      newColumns.append(contentsOf: columns(ofRow: Int(row)))
      newValues.append(contentsOf: values(ofRow: Int(row)))
      newOffsets.append(newColumns.count)
    }
    return SparseMatrix(
      trustedRowCount: rows.count, columnCount: columnCount, offsets: newOffsets,
      columns: newColumns, values: newValues)
  }

  /// The given columns only: column `selection[n]` becomes column n.
  ///
  /// `selection` must ascend.
  public func selectingColumns(_ selection: [Int32]) -> SparseMatrix {
    var place = [Int32](repeating: -1, count: columnCount)
    var previous: Int32 = -1
    for (n, column) in selection.enumerated() {
      precondition(column > previous && column < columnCount, "column \(column) isn't in order")
      place[Int(column)] = Int32(n)
      previous = column
    }
    return mappingColumns(place, columnCount: selection.count)
  }

  /// The same entries with column c renamed `place[c]`, in the same order; negative names drop it.
  func mappingColumns(_ place: [Int32], columnCount newCount: Int) -> SparseMatrix {
    var newOffsets = [0]
    newOffsets.reserveCapacity(rowCount + 1)
    var newColumns: [Int32] = []
    var newValues: [Float] = []
    for row in 0..<rowCount {
      for n in offsets[row]..<offsets[row + 1] where place[Int(columns[n])] >= 0 {
        newColumns.append(place[Int(columns[n])])
        newValues.append(values[n])
      }
      newOffsets.append(newColumns.count)
    }
    return SparseMatrix(
      trustedRowCount: rowCount, columnCount: newCount, offsets: newOffsets, columns: newColumns,
      values: newValues)
  }
}
