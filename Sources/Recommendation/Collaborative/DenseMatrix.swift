public import Kernels

/// A row-major matrix of Floats that owns its elements: factors, text vectors, blocks of scores.
public struct DenseMatrix: Sendable, Equatable {
  /// The number of rows.
  public let rowCount: Int
  /// The number of columns.
  public let columnCount: Int
  /// The elements, row after row; always `rowCount * columnCount` of them.
  public private(set) var values: [Float]

  /// Wraps elements that are already in row-major order; there must be `rowCount * columnCount`.
  public init(rowCount: Int, columnCount: Int, values: [Float]) {
    precondition(
      rowCount >= 0 && columnCount >= 0 && values.count == rowCount * columnCount,
      "\(values.count) values for a (\(rowCount), \(columnCount)) matrix")
    self.rowCount = rowCount
    self.columnCount = columnCount
    self.values = values
  }

  /// Creates a matrix of zeros.
  public init(rowCount: Int, columnCount: Int) {
    self.init(
      rowCount: rowCount, columnCount: columnCount,
      values: [Float](repeating: 0, count: rowCount * columnCount))
  }

  /// One element.
  public subscript(row: Int, column: Int) -> Float {
    get { values[row * columnCount + column] }
    set { values[row * columnCount + column] = newValue }
  }

  /// The elements of one row.
  public func row(_ row: Int) -> ArraySlice<Float> {
    values[(row * columnCount)..<((row + 1) * columnCount)]
  }

  /// Calls `body` with a pointer to the first element.
  public func withPointer<Result>(
    _ body: (UnsafePointer<Float>) throws -> Result
  ) rethrows -> Result {
    func call(_ pointer: UnsafePointer<Float>) throws -> Result { try body(pointer) }
    return try call(values)
  }

  /// Calls `body` with a pointer to the first element, for writing.
  public mutating func withMutablePointer<Result>(
    _ body: (UnsafeMutablePointer<Float>) throws -> Result
  ) rethrows -> Result {
    func call(_ pointer: UnsafeMutablePointer<Float>) throws -> Result { try body(pointer) }
    return try call(&values)
  }

  /// The rows with the given indices, in that order.
  public func selectingRows(_ rows: [Int32]) -> DenseMatrix {
    var result = DenseMatrix(rowCount: rows.count, columnCount: columnCount)
    let width = columnCount
    withPointer { source in
      result.withMutablePointer { target in
        for (n, row) in rows.enumerated() {
          precondition(row >= 0 && row < rowCount, "row \(row) of \(rowCount)")
          (target + n * width).update(from: source + Int(row) * width, count: width)
        }
      }
    }
    return result
  }

  /// Each row divided by its Euclidean norm, or by 1e-9 where that is larger (so a zero row stays 0).
  public func normalizingRows() -> DenseMatrix {
    var result = self
    let (rows, width) = (rowCount, columnCount)
    result.withMutablePointer { pointer in
      for row in 0..<rows {
        let start = pointer + row * width
        let norm = Float.dot(width, start, start).squareRoot()
        Float.scal(width, 1 / max(norm, 1e-9), start)
      }
    }
    return result
  }

  /// The product `self * other^T`, for `other` of shape (n, columnCount): (rowCount, n).
  public func timesTranspose(_ other: DenseMatrix, workers: Workers) -> DenseMatrix {
    precondition(
      columnCount == other.columnCount,
      "rows of \(columnCount) elements times rows of \(other.columnCount)")
    var result = DenseMatrix(rowCount: rowCount, columnCount: other.rowCount)
    let (width, n) = (columnCount, other.rowCount)
    withPointer { a in
      other.withPointer { b in
        result.withMutablePointer { c in
          nonisolated(unsafe) let (a, b, c) = (a, b, c)
          workers.runChunks(rowCount, chunk: productChunk) { _, rows in
            Float.gemm(
              transposeA: false, transposeB: true, m: rows.count, n: n, k: width, alpha: 1,
              a: a + rows.lowerBound * width, lda: max(width, 1), b: b, ldb: max(width, 1),
              beta: 0, c: c + rows.lowerBound * n, ldc: n)
          }
        }
      }
    }
    return result
  }
}
