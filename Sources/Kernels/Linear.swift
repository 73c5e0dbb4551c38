/// The affine map of every dense layer.
///
/// Weights lie as in PyTorch and in public checkpoints: one row for each output.
public enum Linear {
  /// `y = x * weight^T + bias`.
  ///
  /// `y` is (rows, outputs), `x` is (rows, inputs), `weight` is (outputs, inputs), `bias` is
  /// (outputs) or absent. `y` must not overlap the inputs. A `team` computes few rows together, by
  /// ``FewRows``.
  public static func forward<S: KernelScalar>(
    y: UnsafeMutablePointer<S>, x: UnsafePointer<S>, weight: UnsafePointer<S>,
    bias: UnsafePointer<S>?, rows: Int, inputs: Int, outputs: Int, team: Team? = nil
  ) {
    if let team, rows <= FewRows.limit {
      return FewRows.linear(
        y: y, x: x, weight: weight, bias: bias, rows: rows, inputs: inputs, outputs: outputs,
        team: team)
    }
    if let bias {
      for row in 0..<rows { (y + row * outputs).update(from: bias, count: outputs) }
    }
    S.gemm(
      transposeA: false, transposeB: true, m: rows, n: outputs, k: inputs, alpha: 1, a: x,
      lda: inputs, b: weight, ldb: inputs, beta: bias == nil ? 0 : 1, c: y, ldc: outputs)
  }

  /// `dx = dy * weight`, `dWeight += dy^T * x`, `dBias += column sums of dy`.
  ///
  /// Shapes as in ``forward(y:x:weight:bias:rows:inputs:outputs:)``. A nil gradient is not computed,
  /// for frozen weights and for inputs that need none. `dx` is overwritten, or added to when
  /// `accumulate` is set; it must not overlap `dy`.
  public static func backward<S: KernelScalar>(
    dx: UnsafeMutablePointer<S>?, accumulate: Bool, dWeight: UnsafeMutablePointer<S>?,
    dBias: UnsafeMutablePointer<S>?, dy: UnsafePointer<S>, x: UnsafePointer<S>,
    weight: UnsafePointer<S>, rows: Int, inputs: Int, outputs: Int
  ) {
    if let dx {
      S.gemm(
        transposeA: false, transposeB: false, m: rows, n: inputs, k: outputs, alpha: 1, a: dy,
        lda: outputs, b: weight, ldb: inputs, beta: accumulate ? 1 : 0, c: dx, ldc: inputs)
    }
    if let dWeight {
      S.gemm(
        transposeA: true, transposeB: false, m: outputs, n: inputs, k: rows, alpha: 1, a: dy,
        lda: outputs, b: x, ldb: inputs, beta: 1, c: dWeight, ldc: inputs)
    }
    if let dBias { Reduction.columnSums(into: dBias, x: dy, rows: rows, columns: outputs) }
  }
}
