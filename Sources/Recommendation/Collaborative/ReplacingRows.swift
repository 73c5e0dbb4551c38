import Kernels

extension DenseMatrix {
  /// Overwrites some rows; rows up to `rowCount` that weren't there are zeros first.
  mutating func replaceRows(_ rows: [Int32], with newer: DenseMatrix, rowCount count: Int) {
    if count > rowCount {
      self = appending(DenseMatrix(rowCount: count - rowCount, columnCount: columnCount))
    }
    let width = columnCount
    withMutablePointer { target in
      newer.withPointer { source in
        for (n, row) in rows.enumerated() {
          (target + Int(row) * width).update(from: source + n * width, count: width)
        }
      }
    }
  }
}

extension SparseMatrix {
  /// The matrix with some rows (ascending) replaced, and empty rows up to `rowCount`.
  func replacingRows(_ rows: [Int32], with newer: SparseMatrix, rowCount count: Int) -> SparseMatrix
  {
    var replacement = [Int](repeating: -1, count: max(count, rowCount))
    for (n, row) in rows.enumerated() { replacement[Int(row)] = n }
    var offsets = [0]
    var (columns, values): ([Int32], [Float]) = ([], [])
    for row in replacement.indices {
      if replacement[row] >= 0 {
        columns += newer.columns(ofRow: replacement[row])
        values += newer.values(ofRow: replacement[row])
      } else if row < rowCount {
        columns += self.columns(ofRow: row)
        values += self.values(ofRow: row)
      }
      offsets.append(columns.count)
    }
    return SparseMatrix(
      trustedRowCount: replacement.count, columnCount: max(columnCount, newer.columnCount),
      offsets: offsets, columns: columns, values: values)
  }
}
