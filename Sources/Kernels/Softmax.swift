internal import CKernels
internal import RealModule

/// Softmax over the last axis, with the scale of attention fused in.
public enum Softmax {
  /// `y = softmax(scale * x)`, row by row; `y` may be the same memory as `x`.
  ///
  /// `y` and `x` are (rows, width); `scale` must be positive. Elements of -infinity get probability
  /// 0; a row of nothing else gives NaN, as in PyTorch.
  public static func forward<S: KernelScalar>(
    y: UnsafeMutablePointer<S>, x: UnsafePointer<S>, rows: Int, width: Int, scale: S
  ) {
    guard S.self == Float.self else {
      return forwardTwin(y: y, x: x, rows: rows, width: width, scale: scale)
    }
    ck_softmax_forward(y.floats, x.floats, rows, width, Float(scale))
  }

  /// `dx = scale * y * (dy - sum(dy * y))`, row by row; `dx` may be the same memory as `dy`.
  ///
  /// `y` is the forward pass' result. `dx` is overwritten.
  public static func backward<S: KernelScalar>(
    dx: UnsafeMutablePointer<S>, dy: UnsafePointer<S>, y: UnsafePointer<S>, rows: Int, width: Int,
    scale: S
  ) {
    guard S.self == Float.self else {
      return backwardTwin(dx: dx, dy: dy, y: y, rows: rows, width: width, scale: scale)
    }
    ck_softmax_backward(dx.floats, dy.floats, y.floats, rows, width, Float(scale))
  }

  package static func forwardTwin<S: KernelScalar>(
    y: UnsafeMutablePointer<S>, x: UnsafePointer<S>, rows: Int, width: Int, scale: S
  ) {
    for row in 0..<rows {
      let (to, from) = (y + row * width, x + row * width)
      var maximum = -S.infinity
      for j in 0..<width { maximum = from[j] > maximum ? from[j] : maximum }
      var sum: S = 0
      for j in 0..<width {
        to[j] = S.exp((from[j] - maximum) * scale)
        sum += to[j]
      }
      for j in 0..<width { to[j] /= sum }
    }
  }

  package static func backwardTwin<S: KernelScalar>(
    dx: UnsafeMutablePointer<S>, dy: UnsafePointer<S>, y: UnsafePointer<S>, rows: Int, width: Int,
    scale: S
  ) {
    for row in 0..<rows {
      let (to, slope, at) = (dx + row * width, dy + row * width, y + row * width)
      var mean: S = 0
      for j in 0..<width { mean += slope[j] * at[j] }
      for j in 0..<width { to[j] = scale * at[j] * (slope[j] - mean) }
    }
  }
}
