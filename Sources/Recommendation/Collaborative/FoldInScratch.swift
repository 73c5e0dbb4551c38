import Kernels

/// One worker's memory for solving rows in whitened coordinates, where a row's equations are
/// (I + Z^T D Z) x = Z^T b, with Z the rows z of its entries, D = |c| - 1 and b = max(c, 0).
final class FoldInScratch {
  private let factorCount: Int
  /// Rows gathered at once: at least `factorCount`, so that a short history fits.
  private let blockRows: Int
  private let gathered: ScalarBuffer<Float>
  private let scaled: ScalarBuffer<Float>
  private let system: ScalarBuffer<Float>
  private let sides: ScalarBuffer<Float>

  init(factorCount: Int) {
    self.factorCount = factorCount
    blockRows = max(factorCount, 64)
    gathered = ScalarBuffer(blockRows * factorCount)
    scaled = ScalarBuffer(blockRows * factorCount)
    system = ScalarBuffer(factorCount * factorCount)
    sides = ScalarBuffer(blockRows)
  }

  /// Solves for the row with the given entries into `x`; false when LAPACK finds no Cholesky factor.
  func solve(
    _ view: SparseView, _ entries: Range<Int>, alpha: Float, z: UnsafePointer<Float>,
    into x: UnsafeMutablePointer<Float>
  ) -> Bool {
    guard !entries.isEmpty else {
      x.update(repeating: 0, count: factorCount)
      return true
    }
    var exceeds = true
    for n in entries where !(abs(alpha * view.values[n]) > 1) { exceeds = false }
    return exceeds && entries.count <= factorCount
      ? solveByEntries(view, entries, alpha: alpha, z: z, into: x)
      : solveByFactors(view, entries, alpha: alpha, z: z, into: x)
  }

  /// For m <= factorCount entries with D > 0.
  ///
  /// With S = D^1/2 and W = S Z, the push-through identity gives x = W^T (I + W W^T)^-1 S^-1 b.
  private func solveByEntries(
    _ view: SparseView, _ entries: Range<Int>, alpha: Float, z: UnsafePointer<Float>,
    into x: UnsafeMutablePointer<Float>
  ) -> Bool {
    let (m, width) = (entries.count, factorCount)
    let (rows, matrix, sides) = (gathered.pointer, system.pointer, self.sides.pointer)
    for (n, entry) in entries.enumerated() {
      let confidence = alpha * view.values[entry]
      let root = (abs(confidence) - 1).squareRoot()
      let source = z + Int(view.columns[entry]) * width
      let target = rows + n * width
      for k in 0..<width { target[k] = root * source[k] }
      sides[n] = max(confidence, 0) / root
    }
    Float.gemm(
      transposeA: false, transposeB: true, m: m, n: m, k: width, alpha: 1, a: rows, lda: width,
      b: rows, ldb: width, beta: 0, c: matrix, ldc: m)
    for n in 0..<m { matrix[n * m + n] += 1 }
    guard Float.potrf(m, matrix) == 0, Float.potrs(m, count: 1, matrix, sides) == 0 else {
      return false
    }
    Float.gemv(
      transpose: true, rows: m, columns: width, alpha: 1, a: rows, lda: width, x: sides, beta: 0,
      y: x)
    return true
  }

  /// For any entries: accumulates I + Z^T D Z and Z^T b, and solves.
  private func solveByFactors(
    _ view: SparseView, _ entries: Range<Int>, alpha: Float, z: UnsafePointer<Float>,
    into x: UnsafeMutablePointer<Float>
  ) -> Bool {
    let width = factorCount
    let (rows, weighted, matrix) = (gathered.pointer, scaled.pointer, system.pointer)
    matrix.update(repeating: 0, count: width * width)
    for n in 0..<width { matrix[n * width + n] = 1 }
    x.update(repeating: 0, count: width)
    for start in stride(from: entries.lowerBound, to: entries.upperBound, by: blockRows) {
      let count = min(blockRows, entries.upperBound - start)
      for n in 0..<count {
        let confidence = alpha * view.values[start + n]
        let weight = abs(confidence) - 1
        let source = z + Int(view.columns[start + n]) * width
        for k in 0..<width {
          rows[n * width + k] = source[k]
          weighted[n * width + k] = weight * source[k]
        }
        sides.pointer[n] = max(confidence, 0)
      }
      Float.gemm(
        transposeA: true, transposeB: false, m: width, n: width, k: count, alpha: 1, a: rows,
        lda: width, b: weighted, ldb: width, beta: 1, c: matrix, ldc: width)
      Float.gemv(
        transpose: true, rows: count, columns: width, alpha: 1, a: rows, lda: width,
        x: sides.pointer, beta: 1, y: x)
    }
    return Float.potrf(width, matrix) == 0 && Float.potrs(width, count: 1, matrix, x) == 0
  }
}
