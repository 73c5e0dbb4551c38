internal import COpenBLAS
public import RealModule

/// The element type of every kernel: `Float` in production, `Double` in gradient checks.
///
/// The requirements are the BLAS and LAPACK routines the project uses, by their usual names, on
/// row-major matrices. All pointers must cover the sizes given; nothing is bounds-checked here.
public protocol KernelScalar: Real, BinaryFloatingPoint, Sendable {
  /// `c = alpha * op(a) * op(b) + beta * c`, where `op(a)` is (m, k), `op(b)` is (k, n), `c` is (m, n).
  ///
  /// With a transpose flag the matrix in memory is the transposed one: `a` is (k, m), `b` is (n, k).
  /// `lda`, `ldb` and `ldc` are distances between rows in memory, in elements.
  static func gemm(
    transposeA: Bool, transposeB: Bool, m: Int, n: Int, k: Int,
    alpha: Self, a: UnsafePointer<Self>, lda: Int, b: UnsafePointer<Self>, ldb: Int,
    beta: Self, c: UnsafeMutablePointer<Self>, ldc: Int)

  /// `y = alpha * op(a) * x + beta * y` for a row-major (rows, columns) matrix `a`.
  static func gemv(
    transpose: Bool, rows: Int, columns: Int, alpha: Self, a: UnsafePointer<Self>, lda: Int,
    x: UnsafePointer<Self>, beta: Self, y: UnsafeMutablePointer<Self>)

  /// The sum of `x[i] * y[i]`.
  static func dot(_ count: Int, _ x: UnsafePointer<Self>, _ y: UnsafePointer<Self>) -> Self

  /// `y += alpha * x`.
  static func axpy(
    _ count: Int, _ alpha: Self, _ x: UnsafePointer<Self>, _ y: UnsafeMutablePointer<Self>)

  /// `x *= alpha`.
  static func scal(_ count: Int, _ alpha: Self, _ x: UnsafeMutablePointer<Self>)

  /// Replaces the symmetric positive definite (n, n) matrix by its Cholesky factor, in the lower
  /// triangle as row-major memory sees it. Returns LAPACK's `info`: 0 on success, i > 0 when the
  /// leading minor of order i isn't positive definite.
  static func potrf(_ n: Int, _ a: UnsafeMutablePointer<Self>) -> Int

  /// Replaces the factor from ``potrf(_:_:)`` by the inverse of the original matrix, lower triangle
  /// only. Returns LAPACK's `info`.
  static func potri(_ n: Int, _ a: UnsafeMutablePointer<Self>) -> Int

  /// Solves `A X = B` with the factor from ``potrf(_:_:)``; `b` holds `count` right-hand sides, one a
  /// row of length n, and is overwritten by the solutions. Returns LAPACK's `info`.
  static func potrs(
    _ n: Int, count: Int, _ a: UnsafePointer<Self>, _ b: UnsafeMutablePointer<Self>
  ) -> Int

  /// Eigenvalues (ascending, into `values`) and orthonormal eigenvectors (row i of `a` belongs to
  /// `values[i]`) of the symmetric (n, n) matrix `a`. Returns LAPACK's `info`.
  static func syevd(
    _ n: Int, _ a: UnsafeMutablePointer<Self>, _ values: UnsafeMutablePointer<Self>
  ) -> Int
}

private func cblasTranspose(_ flag: Bool) -> CBLAS_TRANSPOSE { flag ? CblasTrans : CblasNoTrans }

// Row-major memory is column-major memory of the transpose: the lower triangle of the one is the
// upper triangle of the other, hence "U" for LAPACK below.

// The protocol documents what these implement.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension Float: KernelScalar {
  public static func gemm(
    transposeA: Bool, transposeB: Bool, m: Int, n: Int, k: Int,
    alpha: Float, a: UnsafePointer<Float>, lda: Int, b: UnsafePointer<Float>, ldb: Int,
    beta: Float, c: UnsafeMutablePointer<Float>, ldc: Int
  ) {
    guard m > 0, n > 0 else { return }
    cblas_sgemm(
      CblasRowMajor, cblasTranspose(transposeA), cblasTranspose(transposeB),
      blasint(m), blasint(n), blasint(k), alpha, a, blasint(lda), b, blasint(ldb), beta, c,
      blasint(ldc))
  }

  public static func gemv(
    transpose: Bool, rows: Int, columns: Int, alpha: Float, a: UnsafePointer<Float>, lda: Int,
    x: UnsafePointer<Float>, beta: Float, y: UnsafeMutablePointer<Float>
  ) {
    cblas_sgemv(
      CblasRowMajor, cblasTranspose(transpose), blasint(rows), blasint(columns), alpha, a,
      blasint(lda), x, 1, beta, y, 1)
  }

  public static func dot(
    _ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>
  ) -> Float { cblas_sdot(blasint(count), x, 1, y, 1) }

  public static func axpy(
    _ count: Int, _ alpha: Float, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>
  ) { cblas_saxpy(blasint(count), alpha, x, 1, y, 1) }

  public static func scal(_ count: Int, _ alpha: Float, _ x: UnsafeMutablePointer<Float>) {
    cblas_sscal(blasint(count), alpha, x, 1)
  }

  public static func potrf(_ n: Int, _ a: UnsafeMutablePointer<Float>) -> Int {
    var size = Int32(n)
    var leading = Int32(max(n, 1))
    var info: Int32 = 0
    spotrf_("U", &size, a, &leading, &info)
    return Int(info)
  }

  public static func potri(_ n: Int, _ a: UnsafeMutablePointer<Float>) -> Int {
    var size = Int32(n)
    var leading = Int32(max(n, 1))
    var info: Int32 = 0
    spotri_("U", &size, a, &leading, &info)
    return Int(info)
  }

  public static func potrs(
    _ n: Int, count: Int, _ a: UnsafePointer<Float>, _ b: UnsafeMutablePointer<Float>
  ) -> Int {
    var size = Int32(n)
    var leading = Int32(max(n, 1))
    var sides = Int32(count)
    var info: Int32 = 0
    spotrs_("U", &size, &sides, a, &leading, b, &leading, &info)
    return Int(info)
  }

  public static func syevd(
    _ n: Int, _ a: UnsafeMutablePointer<Float>, _ values: UnsafeMutablePointer<Float>
  ) -> Int {
    var size = Int32(n)
    var leading = Int32(max(n, 1))
    var info: Int32 = 0
    var workSize: Int32 = -1
    var integerSize: Int32 = -1
    var wantedWork: Float = 0
    var wantedIntegers: Int32 = 0
    ssyevd_(
      "V", "U", &size, a, &leading, values, &wantedWork, &workSize, &wantedIntegers, &integerSize,
      &info)
    guard info == 0 else { return Int(info) }
    // LAPACK answers in Float, which rounds large sizes down: ask for a little more.
    workSize = Int32(wantedWork * 1.001) + 16
    integerSize = wantedIntegers
    var work = [Float](repeating: 0, count: Int(workSize))
    var integers = [Int32](repeating: 0, count: Int(integerSize))
    ssyevd_(
      "V", "U", &size, a, &leading, values, &work, &workSize, &integers, &integerSize, &info)
    return Int(info)
  }
}

// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension Double: KernelScalar {
  public static func gemm(
    transposeA: Bool, transposeB: Bool, m: Int, n: Int, k: Int,
    alpha: Double, a: UnsafePointer<Double>, lda: Int, b: UnsafePointer<Double>, ldb: Int,
    beta: Double, c: UnsafeMutablePointer<Double>, ldc: Int
  ) {
    guard m > 0, n > 0 else { return }
    cblas_dgemm(
      CblasRowMajor, cblasTranspose(transposeA), cblasTranspose(transposeB),
      blasint(m), blasint(n), blasint(k), alpha, a, blasint(lda), b, blasint(ldb), beta, c,
      blasint(ldc))
  }

  public static func gemv(
    transpose: Bool, rows: Int, columns: Int, alpha: Double, a: UnsafePointer<Double>, lda: Int,
    x: UnsafePointer<Double>, beta: Double, y: UnsafeMutablePointer<Double>
  ) {
    cblas_dgemv(
      CblasRowMajor, cblasTranspose(transpose), blasint(rows), blasint(columns), alpha, a,
      blasint(lda), x, 1, beta, y, 1)
  }

  public static func dot(
    _ count: Int, _ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>
  ) -> Double { cblas_ddot(blasint(count), x, 1, y, 1) }

  public static func axpy(
    _ count: Int, _ alpha: Double, _ x: UnsafePointer<Double>, _ y: UnsafeMutablePointer<Double>
  ) { cblas_daxpy(blasint(count), alpha, x, 1, y, 1) }

  public static func scal(_ count: Int, _ alpha: Double, _ x: UnsafeMutablePointer<Double>) {
    cblas_dscal(blasint(count), alpha, x, 1)
  }

  public static func potrf(_ n: Int, _ a: UnsafeMutablePointer<Double>) -> Int {
    var size = Int32(n)
    var leading = Int32(max(n, 1))
    var info: Int32 = 0
    dpotrf_("U", &size, a, &leading, &info)
    return Int(info)
  }

  public static func potri(_ n: Int, _ a: UnsafeMutablePointer<Double>) -> Int {
    var size = Int32(n)
    var leading = Int32(max(n, 1))
    var info: Int32 = 0
    dpotri_("U", &size, a, &leading, &info)
    return Int(info)
  }

  public static func potrs(
    _ n: Int, count: Int, _ a: UnsafePointer<Double>, _ b: UnsafeMutablePointer<Double>
  ) -> Int {
    var size = Int32(n)
    var leading = Int32(max(n, 1))
    var sides = Int32(count)
    var info: Int32 = 0
    dpotrs_("U", &size, &sides, a, &leading, b, &leading, &info)
    return Int(info)
  }

  public static func syevd(
    _ n: Int, _ a: UnsafeMutablePointer<Double>, _ values: UnsafeMutablePointer<Double>
  ) -> Int {
    var size = Int32(n)
    var leading = Int32(max(n, 1))
    var info: Int32 = 0
    var workSize: Int32 = -1
    var integerSize: Int32 = -1
    var wantedWork: Double = 0
    var wantedIntegers: Int32 = 0
    dsyevd_(
      "V", "U", &size, a, &leading, values, &wantedWork, &workSize, &wantedIntegers, &integerSize,
      &info)
    guard info == 0 else { return Int(info) }
    workSize = Int32(wantedWork)
    integerSize = wantedIntegers
    var work = [Double](repeating: 0, count: Int(workSize))
    var integers = [Int32](repeating: 0, count: Int(integerSize))
    dsyevd_(
      "V", "U", &size, a, &leading, values, &work, &workSize, &integers, &integerSize, &info)
    return Int(info)
  }
}
