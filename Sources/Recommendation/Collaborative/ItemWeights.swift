/// Item-item weights: an item's score is the sum of the weights from the items of the history to it.
///
/// EASE and item neighbourhood models end as such a matrix B; scoring is the sparse product x B.
public struct ItemWeights: UserScorer, Equatable {
  /// Row i holds what an item i in the history adds to each item, (items, items).
  public let weights: SparseMatrix
  /// The share of the absolute weight of the full model that ``weights`` holds, from 0 to 1.
  public let keptShare: Double

  /// Wraps weights, for example stored ones; the matrix must be square.
  public init(weights: SparseMatrix, keptShare: Double = 1) {
    precondition(
      weights.rowCount == weights.columnCount,
      "item-item weights of shape (\(weights.rowCount), \(weights.columnCount))")
    self.weights = weights
    self.keptShare = keptShare
  }

  /// The number of items.
  public var itemCount: Int { weights.columnCount }

  /// Writes `histories[rows] * weights`.
  public func score(
    _ histories: SparseMatrix, rows: Range<Int>, into scores: UnsafeMutablePointer<Float>
  ) {
    precondition(
      histories.columnCount == itemCount,
      "histories over \(histories.columnCount) items for weights of \(itemCount)")
    scores.update(repeating: 0, count: rows.count * itemCount)
    histories.withView { histories in
      weights.withView { weights in
        for row in rows {
          let sums = scores + (row - rows.lowerBound) * itemCount
          for h in histories.range(row) {
            let value = histories.values[h]
            for n in weights.range(Int(histories.columns[h])) {
              sums[Int(weights.columns[n])] += value * weights.values[n]
            }
          }
        }
      }
    }
  }
}
