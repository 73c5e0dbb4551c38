public import Kernels

/// Matrix factorisation of implicit feedback by alternating least squares: user and item factors whose
/// products are the scores.
///
/// Y. Hu, Y. Koren and C. Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", 2008;
/// with the same start the factors are those of `implicit`'s AlternatingLeastSquares(use_cg=False).
/// The result doesn't depend on the number of workers.
public struct ImplicitALS: Sendable, Equatable {
  /// The choices of ``ImplicitALS``; `alpha` multiplies the values of the histories to confidences.
  public struct Options: Sendable, Equatable, Codable {
    /// The width of the factors.
    public var factorCount: Int = 128
    /// The penalty on the squares of the factors.
    public var regularization: Float = 0.05
    /// What a value is multiplied by to be a confidence; absent entries have confidence 1.
    public var alpha: Float = 10
    /// How often users and then items are solved for.
    public var iterations: Int = 15

    /// Creates the default choices.
    public init() {}
  }

  /// The choices the factors were computed with.
  public let options: Options
  /// The factors of the users, (users, factorCount).
  public let userFactors: DenseMatrix
  /// The factors of the items, (items, factorCount).
  public let itemFactors: DenseMatrix

  /// Wraps factors, for example stored ones; their width becomes the options' factor count.
  public init(options: Options, userFactors: DenseMatrix, itemFactors: DenseMatrix) {
    precondition(
      userFactors.columnCount == itemFactors.columnCount,
      "users have \(userFactors.columnCount) factors, items \(itemFactors.columnCount)")
    var options = options
    options.factorCount = userFactors.columnCount
    self.options = options
    self.userFactors = userFactors
    self.itemFactors = itemFactors
  }

  /// Fits factors to (users, items) histories, from random factors between 0 and 0.01.
  ///
  /// - Parameter onIteration: Called with the number of iterations done, after each.
  /// - Throws: ``ALSError``.
  public static func fit(
    _ histories: SparseMatrix, options: Options = Options(),
    using generator: inout some RandomNumberGenerator, workers: Workers,
    onIteration: (Int) throws -> Void = { _ in }
  ) throws -> ImplicitALS {
    guard options.factorCount > 0 else {
      throw ALSError.option("factors must be at least 1, not \(options.factorCount)")
    }
    func random(_ rows: Int) -> DenseMatrix {
      let count = rows * options.factorCount
      let values = (0..<count).map { _ in Float(generator.next() >> 40) * 0x1p-24 * 0.01 }
      return DenseMatrix(rowCount: rows, columnCount: options.factorCount, values: values)
    }
    let users = random(histories.rowCount)
    let items = random(histories.columnCount)
    return try ImplicitALS(options: options, userFactors: users, itemFactors: items)
      .fitted(to: histories, workers: workers, onIteration: onIteration)
  }

  /// The factors after `options.iterations` more iterations on `histories`, starting from these.
  ///
  /// - Throws: ``ALSError``.
  public func fitted(
    to histories: SparseMatrix, workers: Workers, onIteration: (Int) throws -> Void = { _ in }
  ) throws -> ImplicitALS {
    precondition(
      histories.rowCount == userFactors.rowCount && histories.columnCount == itemFactors.rowCount,
      "(\(histories.rowCount), \(histories.columnCount)) histories for \(userFactors.rowCount) "
        + "users and \(itemFactors.rowCount) items")
    guard options.regularization >= 0, options.regularization.isFinite, options.alpha.isFinite
    else {
      throw ALSError.option("regularization must be at least 0 and alpha a number")
    }
    let byItem = histories.transposed()
    var model = self
    for iteration in 0..<max(options.iterations, 0) {
      let users = try model.userFoldIn(workers: workers).factors(histories, workers: workers)
      model = ImplicitALS(options: options, userFactors: users, itemFactors: model.itemFactors)
      let items = try model.itemFoldIn(workers: workers).factors(byItem, workers: workers)
      model = ImplicitALS(options: options, userFactors: users, itemFactors: items)
      try onIteration(iteration + 1)
    }
    return model
  }

  /// Solves for users by their histories over these items.
  ///
  /// - Throws: ``ALSError/notPositiveDefinite(regularization:)``.
  public func userFoldIn(workers: Workers) throws -> FactorFoldIn {
    try FactorFoldIn(
      factors: itemFactors, regularization: options.regularization, alpha: options.alpha,
      workers: workers)
  }

  /// Solves for items by the users, (items, users), that have them.
  ///
  /// - Throws: ``ALSError/notPositiveDefinite(regularization:)``.
  public func itemFoldIn(workers: Workers) throws -> FactorFoldIn {
    try FactorFoldIn(
      factors: userFactors, regularization: options.regularization, alpha: options.alpha,
      workers: workers)
  }
}
