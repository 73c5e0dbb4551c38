/// Products of sparse rows with the rows of a fixed sparse matrix, by an inverted index.
///
/// As a ``UserScorer`` it takes sparse vectors for histories: a score is the product with an item's
/// vector.
struct ItemProducts: UserScorer {
  let itemCount: Int
  /// For each feature the items that have it, (features, items).
  private let index: SparseMatrix

  /// Indexes the rows of (items, features) vectors.
  init(_ vectors: SparseMatrix) {
    itemCount = vectors.rowCount
    index = vectors.transposed()
  }

  func score(
    _ histories: SparseMatrix, rows: Range<Int>, into scores: UnsafeMutablePointer<Float>
  ) {
    precondition(
      histories.columnCount == index.rowCount,
      "rows of \(histories.columnCount) features against \(index.rowCount)")
    histories.withView { view in
      for row in rows {
        let sums = scores + (row - rows.lowerBound) * itemCount
        sums.update(repeating: 0, count: itemCount)
        for n in view.range(row) { add(Int(view.columns[n]), view.values[n], to: sums) }
      }
    }
  }

  /// Adds `value` times a feature's column to the items' sums.
  @inline(__always)
  func add(_ feature: Int, _ value: Float, to sums: UnsafeMutablePointer<Float>) {
    index.withView { index in
      for n in index.range(feature) {
        sums[Int(index.columns[n])] += value * index.values[n]
      }
    }
  }
}
