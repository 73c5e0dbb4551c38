public import Kernels

/// Scores by products of user and item factors.
public struct FactorScorer: UserScorer {
  /// Where a user's factor comes from.
  private enum Users {
    /// Row n of the histories is the user with row n here.
    case stored(DenseMatrix)
    /// Solved for from the history.
    case folded(FactorFoldIn)
  }

  private let users: Users
  private let items: DenseMatrix

  /// Takes user n of the histories to have the factor `users[n]`: (users, width), (items, width).
  public init(users: DenseMatrix, items: DenseMatrix) {
    precondition(
      users.columnCount == items.columnCount,
      "users have \(users.columnCount) factors, items \(items.columnCount)")
    self.users = .stored(users)
    self.items = items
  }

  /// Solves for each user by the history, so that users needn't be known.
  ///
  /// - Throws: ``ALSError/notPositiveDefinite(regularization:)``.
  public init(foldingInto model: ImplicitALS, workers: Workers) throws {
    users = .folded(try model.userFoldIn(workers: workers))
    items = model.itemFactors
  }

  /// Solves for each user by the history over other item factors than those that are scored, for
  /// example against factors predicted from text.
  public init(foldIn: FactorFoldIn, items: DenseMatrix) {
    precondition(
      foldIn.factorCount == items.columnCount,
      "users have \(foldIn.factorCount) factors, items \(items.columnCount)")
    users = .folded(foldIn)
    self.items = items
  }

  /// The number of items.
  public var itemCount: Int { items.rowCount }

  /// Writes the products.
  public func score(
    _ histories: SparseMatrix, rows: Range<Int>, into scores: UnsafeMutablePointer<Float>
  ) {
    let width = items.columnCount
    switch users {
    case .stored(let factors):
      precondition(rows.upperBound <= factors.rowCount, "user \(rows.upperBound - 1) has no factor")
      factors.withPointer { multiply($0 + rows.lowerBound * width, rows.count, into: scores) }
    case .folded(let foldIn):
      let factors = ScalarBuffer<Float>(rows.count * width)
      foldIn.solve(histories, rows: rows, into: factors.pointer)
      multiply(factors.pointer, rows.count, into: scores)
    }
  }

  private func multiply(
    _ users: UnsafePointer<Float>, _ count: Int, into scores: UnsafeMutablePointer<Float>
  ) {
    let width = items.columnCount
    items.withPointer { items in
      Float.gemm(
        transposeA: false, transposeB: true, m: count, n: itemCount, k: width, alpha: 1, a: users,
        lda: max(width, 1), b: items, ldb: max(width, 1), beta: 0, c: scores,
        ldc: max(itemCount, 1))
    }
  }
}
