import Kernels
import TestSupport
import Testing

@Suite struct KernelScalarTests {
  init() { BLAS.useSingleThread() }

  @Test func productsByHand() {
    products(of: Float.self)
    products(of: Double.self)
  }

  private func products<S: KernelScalar>(of: S.Type) {
    // a = [1 2 3; 4 5 6], b = [1 0; 0 1; 1 1], a b = [4 5; 10 11].
    let (a, aT): ([S], [S]) = ([1, 2, 3, 4, 5, 6], [1, 4, 2, 5, 3, 6])
    let (b, bT): ([S], [S]) = ([1, 0, 0, 1, 1, 1], [1, 0, 1, 0, 1, 1])
    for (ta, tb) in [(false, false), (true, false), (false, true), (true, true)] {
      var c: [S] = [100, 100, 100, 100]
      S.gemm(
        transposeA: ta, transposeB: tb, m: 2, n: 2, k: 3, alpha: 2, a: ta ? aT : a,
        lda: ta ? 2 : 3, b: tb ? bT : b, ldb: tb ? 3 : 2, beta: 1, c: &c, ldc: 2)
      #expect(c == [108, 110, 120, 122], "transposed \(ta), \(tb)")
    }
    var y: [S] = [1, 1]
    S.gemv(
      transpose: false, rows: 2, columns: 3, alpha: 1, a: a, lda: 3, x: [1, 1, 1], beta: 2, y: &y)
    #expect(y == [8, 17])
    var x: [S] = [0, 0, 0]
    S.gemv(
      transpose: true, rows: 2, columns: 3, alpha: 1, a: a, lda: 3, x: [1, -1], beta: 0, y: &x)
    #expect(x == [-3, -3, -3])
    #expect(S.dot(3, [1, 2, 3], [4, 5, 6]) == 32)
    S.axpy(3, 2, [1, 2, 3], &x)
    #expect(x == [-1, 1, 3])
    S.scal(3, -3, &x)
    #expect(x == [3, -3, -9])
  }

  @Test func factorisations() {
    factorisation(of: Float.self, bound: 1e-5)
    factorisation(of: Double.self, bound: 1e-12)
  }

  private func factorisation<S: KernelScalar>(of: S.Type, bound: S) {
    // a = l l^T with l = [2 0 0; 1 3 0; -1 2 1].
    let a: [S] = [4, 2, -2, 2, 10, 5, -2, 5, 6]
    var factor = a
    #expect(S.potrf(3, &factor) == 0)
    expectClose(
      [factor[0], factor[3], factor[4], factor[6], factor[7], factor[8]], [2, 1, 3, -1, 2, 1],
      absolute: bound, "factor")
    // a (1, 2, 3) = (2, 37, 26) and a (1, 0, 0) = (4, 2, -2).
    var sides: [S] = [2, 37, 26, 4, 2, -2]
    #expect(S.potrs(3, count: 2, factor, &sides) == 0)
    expectClose(sides, [1, 2, 3, 1, 0, 0], absolute: bound * 10, "solutions")
    var inverse = factor
    #expect(S.potri(3, &inverse) == 0)
    for row in 0..<3 {
      for column in 0..<3 {
        // Only the lower triangle holds the inverse.
        let product = (0..<3).reduce(S(0)) { sum, k in
          sum + a[row * 3 + k] * inverse[max(k, column) * 3 + min(k, column)]
        }
        expectClose(product, row == column ? 1 : 0, absolute: bound * 10, "a times its inverse")
      }
    }
    var indefinite: [S] = [1, 2, 2, 1]
    #expect(S.potrf(2, &indefinite) == 2)
  }

  @Test func eigenvectors() {
    eigen(of: Float.self, bound: 1e-5)
    eigen(of: Double.self, bound: 1e-12)
  }

  private func eigen<S: KernelScalar>(of: S.Type, bound: S) {
    // Eigenvalues 1 and 3 with (1, -1) and (1, 1).
    var (a, values): ([S], [S]) = ([2, 1, 1, 2], [0, 0])
    #expect(S.syevd(2, &a, &values) == 0)
    expectClose(values, [1, 3], absolute: bound, "eigenvalues")
    expectClose([a[0] + a[1], a[2] - a[3]], [0, 0], absolute: bound, "eigenvectors")
    expectClose(a.map { $0 * $0 }, [0.5, 0.5, 0.5, 0.5], absolute: bound, "unit length")
  }

  @Test func oneThreadGivesTheSameBytesAgain() {
    let (a, b) = (randomFloats(90 * 70, seed: 1), randomFloats(70 * 50, seed: 2))
    func product() -> [Float] {
      var c: [Float] = zeros(90 * 50)
      Float.gemm(
        transposeA: false, transposeB: false, m: 90, n: 50, k: 70, alpha: 1, a: a, lda: 70, b: b,
        ldb: 50, beta: 0, c: &c, ldc: 50)
      return c
    }
    #expect(product() == product())
    #expect(!BLAS.coreName.isEmpty)
  }
}
