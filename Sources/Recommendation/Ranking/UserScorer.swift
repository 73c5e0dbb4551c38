public import Kernels

/// Scores every item for users given by their histories.
///
/// A history is a row of a ``SparseMatrix``: the items of the user's positives, ascending, with a
/// weight each (1 for implicit feedback).
public protocol UserScorer: Sendable {
  /// The number of items, which is the number of scores a user gets.
  var itemCount: Int { get }

  /// Writes the scores of the users `rows` of `histories`, shape (rows.count, itemCount).
  ///
  /// Runs on the calling thread alone and may be called by several threads at once: callers give each
  /// worker blocks of users. A user's scores don't depend on the other users of the block, except by
  /// rounding.
  func score(
    _ histories: SparseMatrix, rows: Range<Int>, into scores: UnsafeMutablePointer<Float>)
}

extension UserScorer {
  /// The scores of all users of `histories`, (histories.rowCount, itemCount).
  public func scores(_ histories: SparseMatrix, workers: Workers) -> DenseMatrix {
    var result = DenseMatrix(rowCount: histories.rowCount, columnCount: itemCount)
    result.withMutablePointer { pointer in
      nonisolated(unsafe) let pointer = pointer
      workers.runChunks(histories.rowCount, chunk: 32) { _, rows in
        score(histories, rows: rows, into: pointer + rows.lowerBound * itemCount)
      }
    }
    return result
  }
}
