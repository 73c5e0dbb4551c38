public import Kernels

/// Why a latent semantic analysis fails.
public enum LSAError: Error, Equatable, CustomStringConvertible {
  /// No dimensions were asked for, or the vectors are all zero.
  case dimensions(Int)
  /// LAPACK's eigenvalue iteration failed.
  case eigenvalues(info: Int)

  /// What is wrong and what to do.
  public var description: String {
    switch self {
    case .dimensions(let count):
      "latent semantic analysis can't find \(count) dimensions in these texts; ask for at least 1, "
        + "and give texts that share words"
    case .eigenvalues(let info):
      "latent semantic analysis: eigenvalues didn't converge (LAPACK info \(info))"
    }
  }
}

/// Dense vectors of texts: their TF-IDF vectors projected on the leading singular directions.
///
/// N. Halko, P. Martinsson and J. Tropp, "Finding Structure with Randomness", 2011: subspace iteration
/// from a random start, in Double, ended by a Rayleigh-Ritz step. The largest element of each
/// direction is positive, so the same seed gives the same vectors.
public struct LSA: Sendable, Equatable {
  /// The singular values found, descending.
  public let singularValues: [Float]
  /// The directions, (terms, dimensions): columns are orthonormal.
  public let components: DenseMatrix

  /// Restores stored parts.
  public init(singularValues: [Float], components: DenseMatrix) {
    precondition(
      singularValues.count == components.columnCount,
      "\(singularValues.count) singular values for \(components.columnCount) directions")
    self.singularValues = singularValues
    self.components = components
  }

  /// Finds the leading directions of (texts, terms) vectors.
  ///
  /// - Parameters:
  ///   - dimensions: How many; fewer are found when the vectors have a lower rank, at most one less
  ///     than the smaller side of the matrix.
  ///   - iterations: How often the subspace is multiplied by X^T X after the first time.
  /// - Throws: ``LSAError``.
  public static func fit(
    _ vectors: SparseMatrix, dimensions: Int = 300, iterations: Int = 5,
    using generator: inout some RandomNumberGenerator, workers: Workers
  ) throws -> LSA {
    let smaller = min(vectors.rowCount, vectors.columnCount)
    let wanted = min(dimensions, max(smaller - 1, 1))
    guard wanted > 0, smaller > 0 else { throw LSAError.dimensions(dimensions) }
    var width = min(wanted + 10, smaller)
    let (terms, texts) = (vectors.columnCount, vectors.rowCount)
    let transpose = vectors.transposed()
    var basis = [Double](unsafeUninitializedCapacity: terms * width) { buffer, count in
      for n in 0..<(terms * width) {
        buffer[n] = Double(generator.next() >> 11) * 0x1p-52 - 1
      }
      count = terms * width
    }
    var image: [Double] = []
    for _ in 0...max(iterations, 0) {
      image = [Double](repeating: 0, count: texts * width)
      vectors.multiply(basis, width: width, into: &image, workers: workers)
      transpose.multiply(image, width: width, into: &basis, workers: workers)
      (basis, width) = try orthonormalised(basis, rows: terms, width, workers: workers)
    }
    guard width > 0 else { throw LSAError.dimensions(dimensions) }
    image = [Double](repeating: 0, count: texts * width)
    vectors.multiply(basis, width: width, into: &image, workers: workers)
    let (values, rotation) = try spectrum(image, rows: texts, width, workers: workers)
    let found = min(wanted, width)
    let turned = times(basis, rows: terms, width, rotation, found, workers: workers)
    return LSA(
      singularValues: values.prefix(found).map { Float(max($0, 0).squareRoot()) },
      components: signed(turned, rows: terms, found))
  }

  /// The vectors' coordinates, each row of length 1: (vectors.rowCount, dimensions).
  public func transform(_ vectors: SparseMatrix, workers: Workers) -> DenseMatrix {
    vectors.times(components, workers: workers).normalizingRows()
  }

  /// An orthonormal basis of the columns of a (rows, width) matrix, and its width.
  ///
  /// Directions that others contain up to rounding are dropped. Two passes, since the Gram matrix squares the spread.
  private static func orthonormalised(
    _ matrix: [Double], rows: Int, _ width: Int, workers: Workers
  ) throws -> ([Double], Int) {
    var (basis, current) = (matrix, width)
    for _ in 0..<2 where current > 0 {
      var (values, vectors) = try spectrum(basis, rows: rows, current, workers: workers)
      let kept = values.prefix { $0 > 1e-13 * values[0] && $0 > 0 }.count
      for n in 0..<current {
        for c in 0..<kept { vectors[n * current + c] /= values[c].squareRoot() }
      }
      basis = times(basis, rows: rows, current, vectors, kept, workers: workers)
      current = kept
    }
    return (basis, current)
  }

  /// The eigenvalues, descending, and eigenvectors (as columns) of matrix^T matrix.
  private static func spectrum(
    _ matrix: [Double], rows: Int, _ width: Int, workers: Workers
  ) throws -> ([Double], [Double]) {
    var gram = [Double](repeating: 0, count: width * width)
    Double.gemm(
      transposeA: true, transposeB: false, m: width, n: width, k: rows, alpha: 1, a: matrix,
      lda: width, b: matrix, ldb: width, beta: 0, c: &gram, ldc: width)
    var values = [Double](repeating: 0, count: width)
    let info = Double.syevd(width, &gram, &values)
    guard info == 0 else { throw LSAError.eigenvalues(info: info) }
    var vectors = [Double](repeating: 0, count: width * width)
    for n in 0..<width {
      for c in 0..<width { vectors[n * width + c] = gram[(width - 1 - c) * width + n] }
    }
    return (values.reversed(), vectors)
  }

  /// A (rows, width) matrix times the first `columns` columns of a (width, width) one.
  private static func times(
    _ matrix: [Double], rows: Int, _ width: Int, _ square: [Double], _ columns: Int,
    workers: Workers
  ) -> [Double] {
    var result = [Double](repeating: 0, count: rows * columns)
    func multiply(
      _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ c: UnsafeMutablePointer<Double>
    ) {
      nonisolated(unsafe) let (a, b, c) = (a, b, c)
      workers.runChunks(rows, chunk: productChunk) { _, range in
        Double.gemm(
          transposeA: false, transposeB: false, m: range.count, n: columns, k: width, alpha: 1,
          a: a + range.lowerBound * width, lda: width, b: b, ldb: width, beta: 0,
          c: c + range.lowerBound * columns, ldc: max(columns, 1))
      }
    }
    multiply(matrix, square, &result)
    return result
  }

  private static func signed(_ matrix: [Double], rows: Int, _ columns: Int) -> DenseMatrix {
    var result = DenseMatrix(rowCount: rows, columnCount: columns)
    for c in 0..<columns {
      let sign = signOfLargest((0..<rows).lazy.map { matrix[$0 * columns + c] })
      for row in 0..<rows { result[row, c] = Float(sign * matrix[row * columns + c]) }
    }
    return result
  }
}
