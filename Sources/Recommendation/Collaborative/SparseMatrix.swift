/// What is wrong with the parts of a sparse matrix.
public enum SparseMatrixError: Error, Equatable, CustomStringConvertible {
  /// An entry lies outside the matrix.
  case outside(row: Int, column: Int, rowCount: Int, columnCount: Int)
  /// `offsets` doesn't hold one ascending start a row, from 0 to the number of entries.
  case offsets(row: Int)
  /// `columns` and `values` differ in length.
  case counts(columns: Int, values: Int)
  /// The columns of a row aren't ascending and distinct.
  case order(row: Int)
  /// A value is NaN or infinite.
  case notFinite(row: Int, column: Int)
  /// More rows or columns than 32-bit indices can name.
  case tooLarge(rowCount: Int, columnCount: Int)

  /// What is wrong and what to do.
  public var description: String {
    switch self {
    case .outside(let row, let column, let rowCount, let columnCount):
      "entry (\(row), \(column)) lies outside a (\(rowCount), \(columnCount)) sparse matrix; "
        + "check the indices against the tables of users and items"
    case .offsets(let row):
      "row \(row) of a sparse matrix has no valid start; offsets must ascend from 0 to the number "
        + "of entries, so the data is damaged or cut off"
    case .counts(let columns, let values):
      "a sparse matrix has \(columns) columns but \(values) values; the data is damaged or cut off"
    case .order(let row):
      "the columns of row \(row) of a sparse matrix aren't ascending and distinct; sort them first"
    case .notFinite(let row, let column):
      "the value at (\(row), \(column)) of a sparse matrix is NaN or infinite; check the labels or "
        + "weights it comes from"
    case .tooLarge(let rowCount, let columnCount):
      "a (\(rowCount), \(columnCount)) sparse matrix is beyond 32-bit indices; drop rare rows"
    }
  }
}

/// A matrix that stores its non-zero entries only, row after row (compressed sparse rows, CSR).
///
/// The columns of a row ascend and are distinct. Histories are such a matrix (users, items), TF-IDF
/// vectors (texts, words) and item-item weights (items, items) too.
public struct SparseMatrix: Sendable, Equatable {
  /// The number of rows.
  public let rowCount: Int
  /// The number of columns.
  public let columnCount: Int
  /// Row r holds the entries `offsets[r]..<offsets[r + 1]`; `rowCount + 1` elements.
  public let offsets: [Int]
  /// The column of each entry.
  public let columns: [Int32]
  /// The value of each entry.
  public let values: [Float]

  /// Takes the parts as they are, for callers that built them in order.
  init(
    trustedRowCount rowCount: Int, columnCount: Int, offsets: [Int], columns: [Int32],
    values: [Float]
  ) {
    self.rowCount = rowCount
    self.columnCount = columnCount
    self.offsets = offsets
    self.columns = columns
    self.values = values
  }

  /// Takes the parts of a stored matrix after checking them.
  ///
  /// - Throws: ``SparseMatrixError`` when they don't fit together.
  public init(
    rowCount: Int, columnCount: Int, offsets: [Int], columns: [Int32], values: [Float]
  ) throws {
    try Self.checkSize(rowCount, columnCount)
    guard columns.count == values.count else {
      throw SparseMatrixError.counts(columns: columns.count, values: values.count)
    }
    guard offsets.count == rowCount + 1, offsets[0] == 0 else {
      throw SparseMatrixError.offsets(row: 0)
    }
    for row in 0..<rowCount {
      guard offsets[row] <= offsets[row + 1], offsets[row + 1] <= columns.count else {
        throw SparseMatrixError.offsets(row: row)
      }
      var previous: Int32 = -1
      for n in offsets[row]..<offsets[row + 1] {
        guard columns[n] >= 0, columns[n] < columnCount else {
          throw SparseMatrixError.outside(
            row: row, column: Int(columns[n]), rowCount: rowCount, columnCount: columnCount)
        }
        guard columns[n] > previous else { throw SparseMatrixError.order(row: row) }
        guard values[n].isFinite else {
          throw SparseMatrixError.notFinite(row: row, column: Int(columns[n]))
        }
        previous = columns[n]
      }
    }
    guard offsets[rowCount] == columns.count else {
      throw SparseMatrixError.offsets(row: rowCount)
    }
    self.init(
      trustedRowCount: rowCount, columnCount: columnCount, offsets: offsets, columns: columns,
      values: values)
  }

  static func checkSize(_ rowCount: Int, _ columnCount: Int) throws {
    let limit = Int(Int32.max)
    guard (0..<limit).contains(rowCount), (0..<limit).contains(columnCount) else {
      throw SparseMatrixError.tooLarge(rowCount: rowCount, columnCount: columnCount)
    }
  }

  /// The number of stored entries.
  public var entryCount: Int { columns.count }

  /// The columns of one row's entries, ascending.
  public func columns(ofRow row: Int) -> ArraySlice<Int32> {
    columns[offsets[row]..<offsets[row + 1]]
  }

  /// The values of one row's entries, in the order of ``columns(ofRow:)``.
  public func values(ofRow row: Int) -> ArraySlice<Float> {
    values[offsets[row]..<offsets[row + 1]]
  }

  /// The sum of each column's values: with values of 1, how many rows have the column.
  public func columnSums() -> [Float] {
    var sums = [Double](repeating: 0, count: columnCount)
    for n in columns.indices { sums[Int(columns[n])] += Double(values[n]) }
    return sums.map { Float($0) }
  }

  /// All elements, zeros too, as a dense matrix.
  public func dense() -> DenseMatrix {
    var result = DenseMatrix(rowCount: rowCount, columnCount: columnCount)
    for row in 0..<rowCount {
      for n in offsets[row]..<offsets[row + 1] { result[row, Int(columns[n])] = values[n] }
    }
    return result
  }

  /// Calls `body` with pointers to the three arrays.
  func withView<Result>(_ body: (SparseView) throws -> Result) rethrows -> Result {
    func call(
      _ offsets: UnsafePointer<Int>, _ columns: UnsafePointer<Int32>,
      _ values: UnsafePointer<Float>
    ) throws -> Result {
      try body(SparseView(offsets: offsets, columns: columns, values: values))
    }
    return try call(offsets, columns, values)
  }
}

/// Pointers to the arrays of a ``SparseMatrix``, for loops that workers share.
struct SparseView: @unchecked Sendable {
  let offsets: UnsafePointer<Int>
  let columns: UnsafePointer<Int32>
  let values: UnsafePointer<Float>

  /// The places of a row's entries.
  @inline(__always)
  func range(_ row: Int) -> Range<Int> { offsets[row]..<offsets[row + 1] }
}
