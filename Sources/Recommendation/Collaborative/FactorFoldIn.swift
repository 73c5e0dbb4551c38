public import Kernels

/// Why factors can't be computed.
public enum ALSError: Error, Equatable, CustomStringConvertible {
  /// An option is out of its range.
  case option(String)
  /// The normal equations have no Cholesky factor.
  case notPositiveDefinite(regularization: Float)

  /// What is wrong and what to do.
  public var description: String {
    switch self {
    case .option(let what): "alternating least squares: \(what)"
    case .notPositiveDefinite(let regularization):
      "the normal equations of alternating least squares aren't positive definite with the "
        + "regularization \(regularization); raise it"
    }
  }
}

/// Solves for the factor of a row (a user's history, or an item's users) while the factors of the
/// other side stay fixed: one half-step of alternating least squares, and the way new users come in.
///
/// With fixed factors Y, confidences c = alpha * value and preferences 1 for c > 0, else 0,
/// x = (Y^T Y + regularization * I + sum (|c| - 1) y y^T)^-1 sum max(c, 0) y. Entries that a row lacks
/// have confidence 1 and preference 0 (Hu, Koren and Volinsky, "Collaborative Filtering for Implicit
/// Feedback Datasets", 2008; the semantics of `implicit`'s use_cg=False).
///
/// The common part Y^T Y + regularization * I = L L^T is factored once and Y is turned into
/// z = L^-1 y, so that a row with m entries needs an (m, m) system, or a (factors, factors) one where
/// m is larger: exact, and cheaper than conjugate gradients on short histories.
public struct FactorFoldIn: Sendable {
  /// The width of the factors.
  public let factorCount: Int
  /// The number of fixed rows: what a history's columns count.
  public let fixedCount: Int
  private let alpha: Float
  private let regularization: Float
  /// z of each fixed row, (fixedCount, factorCount).
  private let whitened: DenseMatrix
  /// L^-T, (factorCount, factorCount), upper: x = L^-T times the whitened solution.
  private let root: DenseMatrix

  /// Prepares for the fixed `factors`, (rows, factors).
  ///
  /// - Throws: ``ALSError/notPositiveDefinite(regularization:)``.
  public init(
    factors: DenseMatrix, regularization: Float, alpha: Float, workers: Workers
  ) throws {
    factorCount = factors.columnCount
    fixedCount = factors.rowCount
    self.alpha = alpha
    self.regularization = regularization
    let inverse = try Self.inverseRoot(factors, regularization)
    whitened = factors.timesTranspose(inverse, workers: workers)
    var transpose = DenseMatrix(rowCount: factorCount, columnCount: factorCount)
    for r in 0..<factorCount { for c in 0..<factorCount { transpose[c, r] = inverse[r, c] } }
    root = transpose
  }

  /// The inverse of the lower Cholesky factor of Y^T Y + regularization * I, in Double inside.
  private static func inverseRoot(
    _ factors: DenseMatrix, _ regularization: Float
  ) throws -> DenseMatrix {
    let width = factors.columnCount
    var gram = [Double](repeating: 0, count: width * width)
    addCovariance(of: factors, mean: [Double](repeating: 0, count: width), to: &gram)
    for n in 0..<width { gram[n * width + n] += Double(regularization) }
    // LAPACK lets NaN through, hence the look at the diagonal.
    guard width == 0 || Double.potrf(width, &gram) == 0,
      (0..<width).allSatisfy({ gram[$0 * width + $0] > 0 })
    else { throw ALSError.notPositiveDefinite(regularization: regularization) }
    // Forward substitution, a column of the inverse at a time.
    var inverse = DenseMatrix(rowCount: width, columnCount: width)
    var column = [Double](repeating: 0, count: width)
    for c in 0..<width {
      for r in c..<width {
        var sum = r == c ? 1.0 : 0.0
        for k in c..<r { sum -= gram[r * width + k] * column[k] }
        column[r] = sum / gram[r * width + r]
        inverse[r, c] = Float(column[r])
      }
    }
    return inverse
  }

  /// The factors of all rows of `histories`: (rows, fixedCount) to (rows, factorCount).
  ///
  /// An empty row gets zeros.
  ///
  /// - Throws: ``ALSError/notPositiveDefinite(regularization:)``.
  public func factors(_ histories: SparseMatrix, workers: Workers) throws -> DenseMatrix {
    var whitenedResult = DenseMatrix(rowCount: histories.rowCount, columnCount: factorCount)
    var failures = [Bool](repeating: false, count: workers.count)
    whitenedResult.withMutablePointer { target in
      failures.withUnsafeMutableBufferPointer { failures in
        nonisolated(unsafe) let (target, failures) = (target, failures)
        workers.runChunks(histories.rowCount, chunk: 64) { worker, rows in
          let start = target + rows.lowerBound * factorCount
          if !solveWhitened(histories, rows, into: start) { failures[worker] = true }
        }
      }
    }
    guard !failures.contains(true) else {
      throw ALSError.notPositiveDefinite(regularization: regularization)
    }
    return whitenedResult.timesTranspose(root, workers: workers)
  }

  /// The factors of some rows of `histories`, (rows.count, factorCount), on the calling thread; NaN
  /// for a row whose equations have no solution.
  func solve(
    _ histories: SparseMatrix, rows: Range<Int>, into factors: UnsafeMutablePointer<Float>
  ) {
    let whitenedFactors = ScalarBuffer<Float>(rows.count * factorCount)
    _ = solveWhitened(histories, rows, into: whitenedFactors.pointer)
    root.withPointer { root in
      Float.gemm(
        transposeA: false, transposeB: true, m: rows.count, n: factorCount, k: factorCount,
        alpha: 1, a: whitenedFactors.pointer, lda: max(factorCount, 1), b: root,
        ldb: max(factorCount, 1), beta: 0, c: factors, ldc: max(factorCount, 1))
    }
  }

  /// Solves rows in whitened coordinates; false when one of them, which is then NaN, can't be.
  private func solveWhitened(
    _ histories: SparseMatrix, _ rows: Range<Int>, into target: UnsafeMutablePointer<Float>
  ) -> Bool {
    precondition(
      histories.columnCount == fixedCount,
      "histories over \(histories.columnCount) columns for \(fixedCount) factors")
    let scratch = FoldInScratch(factorCount: factorCount)
    var isSolved = true
    histories.withView { view in
      whitened.withPointer { z in
        for row in rows {
          let x = target + (row - rows.lowerBound) * factorCount
          if !scratch.solve(view, view.range(row), alpha: alpha, z: z, into: x) {
            x.update(repeating: .nan, count: factorCount)
            isSolved = false
          }
        }
      }
    }
    return isSolved
  }
}

/// Adds the sum over the rows of (row - mean)^T (row - mean) to a row-major (width, width) matrix, in
/// Double and in the order of the rows.
func addCovariance(of rows: DenseMatrix, mean: [Double], to sum: inout [Double]) {
  let width = rows.columnCount
  guard width > 0 else { return }
  let block = 256
  let centred = ScalarBuffer<Double>(block * width)
  rows.withPointer { source in
    for start in stride(from: 0, to: rows.rowCount, by: block) {
      let count = min(block, rows.rowCount - start)
      for n in 0..<count {
        for c in 0..<width {
          centred.pointer[n * width + c] = Double(source[(start + n) * width + c]) - mean[c]
        }
      }
      Double.gemm(
        transposeA: true, transposeB: false, m: width, n: width, k: count, alpha: 1,
        a: centred.pointer, lda: width, b: centred.pointer, ldb: width, beta: 1, c: &sum,
        ldc: width)
    }
  }
}
