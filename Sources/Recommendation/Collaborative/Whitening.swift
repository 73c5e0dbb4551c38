public import Kernels

/// Why vectors can't be whitened.
public enum WhiteningError: Error, Equatable, CustomStringConvertible {
  /// A covariance needs two rows.
  case rows(Int)
  /// A vector holds NaN or infinity.
  case notFinite(column: Int)
  /// LAPACK's eigenvalue iteration failed.
  case eigenvalues(info: Int)

  /// What is wrong and what to do.
  public var description: String {
    switch self {
    case .rows(let count): "whitening needs at least 2 vectors to learn from, not \(count)"
    case .notFinite(let column):
      "whitening: element \(column) of a vector is NaN or infinite; check the encoder's vectors"
    case .eigenvalues(let info):
      "whitening: the eigenvalues of the covariance didn't converge (LAPACK info \(info))"
    }
  }
}

/// Turns vectors so that their elements are uncorrelated with variance 1, then to length 1.
///
/// z = (x - mean) V / sqrt(eigenvalue + 1e-6), with the eigenvectors V of the covariance of the rows
/// it was fitted to, largest eigenvalue first. J. Su et al., "Whitening Sentence Representations for
/// Better Semantics and Faster Retrieval", 2021. Cosines don't depend on the signs of the eigenvectors;
/// here the largest element of each is positive.
public struct Whitening: Sendable, Equatable {
  /// What is subtracted from a vector.
  public let mean: [Float]
  /// What the centred vector is multiplied by, (mean.count, dimensions).
  public let matrix: DenseMatrix

  /// Restores stored parts; `matrix` has a row for each element of `mean`.
  public init(mean: [Float], matrix: DenseMatrix) {
    precondition(
      mean.count == matrix.rowCount, "a mean of \(mean.count) for \(matrix.rowCount) rows")
    self.mean = mean
    self.matrix = matrix
  }

  /// Fits to the rows of a (rows, width) matrix, in Double.
  ///
  /// - Parameter dimensions: How many directions are kept; `nil` takes min(width, max(8, rows / 4)),
  ///   because a covariance of few rows has no more directions that mean anything.
  /// - Throws: ``WhiteningError``.
  public static func fit(
    _ rows: DenseMatrix, dimensions: Int? = nil
  ) throws -> Whitening {
    let (count, width) = (rows.rowCount, rows.columnCount)
    guard count >= 2 else { throw WhiteningError.rows(count) }
    var mean = [Double](repeating: 0, count: width)
    for row in 0..<count {
      for (column, value) in rows.row(row).enumerated() { mean[column] += Double(value) }
    }
    for column in 0..<width {
      mean[column] /= Double(count)
      guard mean[column].isFinite else { throw WhiteningError.notFinite(column: column) }
    }
    var covariance = [Double](repeating: 0, count: width * width)
    addCovariance(of: rows, mean: mean, to: &covariance)
    for n in covariance.indices { covariance[n] /= Double(count - 1) }
    var values = [Double](repeating: 0, count: width)
    let info = Double.syevd(width, &covariance, &values)
    guard info == 0 else { throw WhiteningError.eigenvalues(info: info) }

    let kept = min(max(dimensions ?? max(8, count / 4), 1), width)
    var matrix = DenseMatrix(rowCount: width, columnCount: kept)
    for n in 0..<kept {
      let source = width - 1 - n
      let vector = covariance[(source * width)..<((source + 1) * width)]
      let scale = signOfLargest(vector) / (max(values[source], 0) + 1e-6).squareRoot()
      for (column, value) in vector.enumerated() { matrix[column, n] = Float(value * scale) }
    }
    return Whitening(mean: mean.map { Float($0) }, matrix: matrix)
  }

  /// The whitened rows, each of length 1: (rows.rowCount, dimensions).
  public func apply(_ rows: DenseMatrix, workers: Workers) -> DenseMatrix {
    precondition(
      rows.columnCount == mean.count,
      "vectors of \(rows.columnCount) for a whitening of \(mean.count)")
    var centred = rows
    let (count, width, kept) = (rows.rowCount, mean.count, matrix.columnCount)
    var result = DenseMatrix(rowCount: count, columnCount: kept)
    centred.withMutablePointer { centred in
      for row in 0..<count { for c in 0..<width { centred[row * width + c] -= mean[c] } }
      matrix.withPointer { matrix in
        result.withMutablePointer { result in
          nonisolated(unsafe) let (centred, matrix, result) = (
            UnsafePointer(centred), matrix, result
          )
          workers.runChunks(count, chunk: productChunk) { _, range in
            Float.gemm(
              transposeA: false, transposeB: false, m: range.count, n: kept, k: width, alpha: 1,
              a: centred + range.lowerBound * width, lda: width, b: matrix, ldb: kept, beta: 0,
              c: result + range.lowerBound * kept, ldc: kept)
          }
        }
      }
    }
    return result.normalizingRows()
  }
}

/// 1 or -1: the sign of the element with the largest absolute value, the first of equals.
func signOfLargest(_ vector: some Sequence<Double>) -> Double {
  var largest = 0.0
  for value in vector where abs(value) > abs(largest) { largest = value }
  return largest < 0 ? -1 : 1
}
