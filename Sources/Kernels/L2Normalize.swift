internal import CKernels
internal import RealModule

/// Scales rows to unit length, with the semantics of PyTorch's `F.normalize`.
public enum L2Normalize {
  /// `norm = max(||x||, epsilon)` and `y = x / norm`, row by row.
  ///
  /// `y` and `x` are (rows, width) and may be the same memory; `norm` is (rows) and is kept for the
  /// backward pass. A row of zeros stays zero.
  public static func forward<S: KernelScalar>(
    y: UnsafeMutablePointer<S>, norm: UnsafeMutablePointer<S>, x: UnsafePointer<S>, rows: Int,
    width: Int, epsilon: S = 1e-12
  ) {
    guard S.self == Float.self else {
      return forwardTwin(y: y, norm: norm, x: x, rows: rows, width: width, epsilon: epsilon)
    }
    ck_l2_forward(y.floats, norm.floats, x.floats, rows, width, Float(epsilon))
  }

  /// `dx = (dy - y * sum(dy * y)) / norm`, row by row; overwrites `dx`, or adds with `accumulate`.
  ///
  /// `y`, `norm` and `epsilon` are those of the forward pass; rows shorter than `epsilon` were only
  /// scaled and have no projection term. `dx` may be the same memory as `dy` unless `accumulate`.
  public static func backward<S: KernelScalar>(
    dx: UnsafeMutablePointer<S>, accumulate: Bool, dy: UnsafePointer<S>, y: UnsafePointer<S>,
    norm: UnsafePointer<S>, rows: Int, width: Int, epsilon: S = 1e-12
  ) {
    guard S.self == Float.self else {
      return backwardTwin(
        dx: dx, accumulate: accumulate, dy: dy, y: y, norm: norm, rows: rows, width: width,
        epsilon: epsilon)
    }
    ck_l2_backward(
      dx.floats, accumulate ? 1 : 0, dy.floats, y.floats, norm.floats, rows, width, Float(epsilon))
  }

  package static func forwardTwin<S: KernelScalar>(
    y: UnsafeMutablePointer<S>, norm: UnsafeMutablePointer<S>, x: UnsafePointer<S>, rows: Int,
    width: Int, epsilon: S
  ) {
    for row in 0..<rows {
      let (to, from) = (y + row * width, x + row * width)
      var squares: S = 0
      for j in 0..<width { squares += from[j] * from[j] }
      let length = S.sqrt(squares) < epsilon ? epsilon : S.sqrt(squares)
      for j in 0..<width { to[j] = from[j] / length }
      norm[row] = length
    }
  }

  package static func backwardTwin<S: KernelScalar>(
    dx: UnsafeMutablePointer<S>, accumulate: Bool, dy: UnsafePointer<S>, y: UnsafePointer<S>,
    norm: UnsafePointer<S>, rows: Int, width: Int, epsilon: S
  ) {
    for row in 0..<rows {
      let (to, slope, at) = (dx + row * width, dy + row * width, y + row * width)
      var projection: S = 0
      if norm[row] > epsilon { for j in 0..<width { projection += slope[j] * at[j] } }
      for j in 0..<width {
        let gradient = (slope[j] - at[j] * projection) / norm[row]
        to[j] = accumulate ? to[j] + gradient : gradient
      }
    }
  }
}
