public import Kernels

/// Why an EASE model can't be computed.
public enum EASEError: Error, Equatable, CustomStringConvertible {
  /// The ridge penalty isn't a positive number.
  case penalty(Double)
  /// Fewer than one weight an item was asked for.
  case keep(Int)
  /// The regularised Gram matrix has no Cholesky factor.
  case notPositiveDefinite(penalty: Double)

  /// What is wrong and what to do.
  public var description: String {
    switch self {
    case .penalty(let value): "EASE needs a penalty above 0, not \(value)"
    case .keep(let value): "EASE must keep at least one weight an item, not \(value)"
    case .notPositiveDefinite(let penalty):
      "the item-item matrix of EASE isn't positive definite with the penalty \(penalty): "
        + "raise the penalty, or let more items be computed in Double"
    }
  }
}

/// Embarrassingly shallow autoencoders: the item-item weights of a ridge regression of every item on
/// all others, in closed form.
///
/// With G = X^T X + penalty * I and P = G^-1 the weights are B = P / -diag(P) (each column divided by
/// its own diagonal element) with a zero diagonal; scores are x B. H. Steck, "Embarrassingly Shallow
/// Autoencoders for Sparse Data", WWW 2019.
public enum EASE {
  /// The choices of ``EASE``.
  public struct Options: Sendable, Equatable, Codable {
    /// The ridge penalty, Steck's lambda.
    public var penalty: Double = 200
    /// How many weights each predicted item keeps, the largest by absolute value.
    public var keep: Int = 300
    /// Only so many items take part, the most frequent; the others have no weights.
    public var maximumItems: Int = 20_000
    /// Up to so many items the inverse is computed in Double, above in Float (half the memory).
    public var doubleUpTo: Int = 6_000

    /// Creates the default choices.
    public init() {}
  }

  /// Fits a model to histories of shape (users, items).
  ///
  /// Takes time cubic and memory quadratic in the number of items with behaviours: 4 bytes times the
  /// square of it in Float, 8 in Double. Each item keeps its strongest predictors (a column of B),
  /// stored by the item in the history.
  ///
  /// - Throws: ``EASEError``.
  public static func fit(
    _ histories: SparseMatrix, options: Options = Options(), workers: Workers
  ) throws -> ItemWeights {
    guard options.keep >= 1 else { throw EASEError.keep(options.keep) }
    guard options.penalty > 0, options.penalty.isFinite else {
      throw EASEError.penalty(options.penalty)
    }
    let items = mostFrequentItems(histories, atMost: options.maximumItems)
    let selected = histories.selectingColumns(items)
    let (kept, share) =
      items.count <= options.doubleUpTo
      ? try strongest(selected, options, of: Double.self, workers: workers)
      : try strongest(selected, options, of: Float.self, workers: workers)
    // From (target, predictor) among the selected items to (predictor, target) among all.
    var offsets = [Int](repeating: 0, count: histories.columnCount + 1)
    for (n, item) in items.enumerated() {
      offsets[Int(item) + 1] = kept.offsets[n + 1] - kept.offsets[n]
    }
    for item in 0..<histories.columnCount { offsets[item + 1] += offsets[item] }
    let byTarget = SparseMatrix(
      trustedRowCount: histories.columnCount, columnCount: histories.columnCount,
      offsets: offsets, columns: kept.columns.map { items[Int($0)] }, values: kept.values)
    return ItemWeights(weights: byTarget.transposed(), keptShare: share)
  }

  /// The items with behaviours, at most `limit` of them by frequency (ties to the lower index),
  /// ascending.
  private static func mostFrequentItems(_ histories: SparseMatrix, atMost limit: Int) -> [Int32] {
    let counts = histories.columnSums()
    var items = counts.indices.filter { counts[$0] != 0 }
    if items.count > limit {
      items.sort { (counts[$0], $1) > (counts[$1], $0) }
      items = items.prefix(max(limit, 0)).sorted()
    }
    return items.map { Int32($0) }
  }

  /// The strongest weights of each column of B, as rows (target, predictor), and their share.
  private static func strongest<Scalar: KernelScalar & BitwiseCopyable>(
    _ histories: SparseMatrix, _ options: Options, of type: Scalar.Type, workers: Workers
  ) throws -> (SparseMatrix, Double) {
    let n = histories.columnCount
    let inverse = try inverseGram(histories, options.penalty, of: type, workers: workers)
    let keep = min(options.keep, max(n - 1, 0))
    var kept = RankedLists(rowCount: n, k: keep)
    var totals = [Double](repeating: 0, count: n)
    kept.withWriter { writer in
      totals.withUnsafeMutableBufferPointer { totals in
        nonisolated(unsafe) let totals = totals
        workers.run { worker in
          let sizes = ScalarBuffer<Float>(n)
          var selector = TopKSelector(k: keep)
          for target in stride(from: worker, to: n, by: workers.count) {
            // P is symmetric: a row of it divided by its diagonal element is a column of B.
            let row = inverse.pointer + target * n
            let diagonal = row[target]
            var total = 0.0
            for j in 0..<n {
              let size = abs(Float(row[j] / diagonal))
              total += Double(size)
              sizes.pointer[j] = size
            }
            totals[target] = total - Double(sizes.pointer[target])
            sizes.pointer[target] = -.infinity
            selector.reset()
            selector.scan(sizes.pointer, count: n)
            writer.store(target, &selector, names: nil)
          }
        }
      }
    }
    return collect(kept, inverse, total: totals.reduce(0, +))
  }

  /// The chosen weights, ascending by predictor, and the share of `total` they hold.
  private static func collect<Scalar: KernelScalar & BitwiseCopyable>(
    _ kept: RankedLists, _ inverse: ScalarBuffer<Scalar>, total: Double
  ) -> (SparseMatrix, Double) {
    let n = kept.rowCount
    var offsets = [0]
    var columns: [Int32] = []
    var values: [Float] = []
    var sum = 0.0
    for target in 0..<n {
      let row = inverse.pointer + target * n
      // Weights that are exactly zero (items that share no user with any other) aren't stored.
      for predictor in kept.items(ofRow: target).sorted() where row[Int(predictor)] != 0 {
        let weight = Float(row[Int(predictor)] / -row[target])
        columns.append(predictor)
        values.append(weight)
        sum += Double(abs(weight))
      }
      offsets.append(columns.count)
    }
    let matrix = SparseMatrix(
      trustedRowCount: n, columnCount: n, offsets: offsets, columns: columns, values: values)
    return (matrix, total > 0 ? min(sum / total, 1) : 1)
  }

  /// The full inverse of X^T X + penalty * I.
  private static func inverseGram<Scalar: KernelScalar & BitwiseCopyable>(
    _ histories: SparseMatrix, _ penalty: Double, of type: Scalar.Type, workers: Workers
  ) throws -> ScalarBuffer<Scalar> {
    let n = histories.columnCount
    let gram = ScalarBuffer<Scalar>(n * n)
    guard n > 0 else { return gram }
    histories.accumulateGram(into: gram.pointer, workers: workers)
    for item in 0..<n { gram.pointer[item * n + item] += Scalar(penalty) }
    // The thread count is the process's: small factorisations leave it alone.
    try BLAS.withThreads(n < 1000 ? 1 : workers.count) {
      guard Scalar.potrf(n, gram.pointer) == 0, Scalar.potri(n, gram.pointer) == 0 else {
        throw EASEError.notPositiveDefinite(penalty: penalty)
      }
    }
    // LAPACK lets NaN through, which sums beyond Float's range end as.
    guard (0..<n).allSatisfy({ gram.pointer[$0 * n + $0] > 0 }) else {
      throw EASEError.notPositiveDefinite(penalty: penalty)
    }
    mirrorLowerTriangle(gram.pointer, n, workers: workers)
    return gram
  }
}
