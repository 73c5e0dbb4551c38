internal import CKernels
internal import RealModule

/// Layer normalisation over the last axis (Ba, Kiros and Hinton, 2016), as PyTorch computes it.
public enum LayerNorm {
  /// `y = (x - mean) * rstd * weight + bias`, row by row.
  ///
  /// `y` and `x` are (rows, width) and may be the same memory when no backward pass follows; `mean`
  /// and `rstd` are (rows) and are kept for the backward pass; `weight` and `bias` are (width).
  /// `rstd = 1 / sqrt(variance + epsilon)` with the variance of all `width` elements.
  public static func forward<S: KernelScalar>(
    y: UnsafeMutablePointer<S>, mean: UnsafeMutablePointer<S>, rstd: UnsafeMutablePointer<S>,
    x: UnsafePointer<S>, weight: UnsafePointer<S>, bias: UnsafePointer<S>, rows: Int, width: Int,
    epsilon: S
  ) {
    guard S.self == Float.self else {
      return forwardTwin(
        y: y, mean: mean, rstd: rstd, x: x, weight: weight, bias: bias, rows: rows, width: width,
        epsilon: epsilon)
    }
    ck_layer_norm_forward(
      y.floats, mean.floats, rstd.floats, x.floats, weight.floats, bias.floats, rows, width,
      Float(epsilon))
  }

  /// `sum = x (+ xBias) + residual`, then the normalisation of `sum`, in one pass.
  ///
  /// `y`, `sum`, `x` and `residual` are (rows, width), `xBias` is (width) or absent. `sum` is what
  /// the backward pass needs as `x`; it may be the same memory as `x` or `residual`.
  public static func residualForward<S: KernelScalar>(
    y: UnsafeMutablePointer<S>, sum: UnsafeMutablePointer<S>, mean: UnsafeMutablePointer<S>,
    rstd: UnsafeMutablePointer<S>, x: UnsafePointer<S>, residual: UnsafePointer<S>,
    xBias: UnsafePointer<S>?, weight: UnsafePointer<S>, bias: UnsafePointer<S>, rows: Int,
    width: Int, epsilon: S
  ) {
    guard S.self == Float.self else {
      return residualForwardTwin(
        y: y, sum: sum, mean: mean, rstd: rstd, x: x, residual: residual, xBias: xBias,
        weight: weight, bias: bias, rows: rows, width: width, epsilon: epsilon)
    }
    ck_residual_layer_norm_forward(
      y.floats, sum.floats, mean.floats, rstd.floats, x.floats, residual.floats, xBias?.floats,
      weight.floats, bias.floats, rows, width, Float(epsilon))
  }

  /// The gradients of both forward passes.
  ///
  /// `x` is the matrix that was normalised (`sum` of the fused pass), `mean` and `rstd` are the
  /// forward pass' results. `dx` is overwritten and may then be the same memory as `dy`; with
  /// `accumulate` it is added to and must not overlap. `dWeight` and `dBias` are added to, or nil
  /// when frozen. For the fused pass `dx` is the gradient of `x` and of `residual`, and its column
  /// sums are that of `xBias`.
  public static func backward<S: KernelScalar>(
    dx: UnsafeMutablePointer<S>, accumulate: Bool, dWeight: UnsafeMutablePointer<S>?,
    dBias: UnsafeMutablePointer<S>?, dy: UnsafePointer<S>, x: UnsafePointer<S>,
    mean: UnsafePointer<S>, rstd: UnsafePointer<S>, weight: UnsafePointer<S>, rows: Int, width: Int
  ) {
    guard S.self == Float.self else {
      return backwardTwin(
        dx: dx, accumulate: accumulate, dWeight: dWeight, dBias: dBias, dy: dy, x: x, mean: mean,
        rstd: rstd, weight: weight, rows: rows, width: width)
    }
    ck_layer_norm_backward(
      dx.floats, accumulate ? 1 : 0, dWeight?.floats, dBias?.floats, dy.floats, x.floats,
      mean.floats, rstd.floats, weight.floats, rows, width)
  }

  package static func forwardTwin<S: KernelScalar>(
    y: UnsafeMutablePointer<S>, mean: UnsafeMutablePointer<S>, rstd: UnsafeMutablePointer<S>,
    x: UnsafePointer<S>, weight: UnsafePointer<S>, bias: UnsafePointer<S>, rows: Int, width: Int,
    epsilon: S
  ) {
    for row in 0..<rows {
      let from = x + row * width
      let to = y + row * width
      var sum: S = 0
      for j in 0..<width { sum += from[j] }
      let center = sum / S(width)
      var squares: S = 0
      for j in 0..<width { squares += (from[j] - center) * (from[j] - center) }
      let scale = 1 / S.sqrt(squares / S(width) + epsilon)
      for j in 0..<width { to[j] = (from[j] - center) * scale * weight[j] + bias[j] }
      mean[row] = center
      rstd[row] = scale
    }
  }

  package static func residualForwardTwin<S: KernelScalar>(
    y: UnsafeMutablePointer<S>, sum: UnsafeMutablePointer<S>, mean: UnsafeMutablePointer<S>,
    rstd: UnsafeMutablePointer<S>, x: UnsafePointer<S>, residual: UnsafePointer<S>,
    xBias: UnsafePointer<S>?, weight: UnsafePointer<S>, bias: UnsafePointer<S>, rows: Int,
    width: Int, epsilon: S
  ) {
    for row in 0..<rows {
      for j in 0..<width {
        let i = row * width + j
        sum[i] = x[i] + (xBias?[j] ?? 0) + residual[i]
      }
    }
    forwardTwin(
      y: y, mean: mean, rstd: rstd, x: sum, weight: weight, bias: bias, rows: rows, width: width,
      epsilon: epsilon)
  }

  package static func backwardTwin<S: KernelScalar>(
    dx: UnsafeMutablePointer<S>, accumulate: Bool, dWeight: UnsafeMutablePointer<S>?,
    dBias: UnsafeMutablePointer<S>?, dy: UnsafePointer<S>, x: UnsafePointer<S>,
    mean: UnsafePointer<S>, rstd: UnsafePointer<S>, weight: UnsafePointer<S>, rows: Int, width: Int
  ) {
    for row in 0..<rows {
      let (out, slope, at) = (dx + row * width, dy + row * width, x + row * width)
      var meanGradient: S = 0
      var meanProduct: S = 0
      for j in 0..<width {
        let normal = (at[j] - mean[row]) * rstd[row]
        meanGradient += slope[j] * weight[j] / S(width)
        meanProduct += slope[j] * weight[j] * normal / S(width)
        dWeight?[j] += slope[j] * normal
        dBias?[j] += slope[j]
      }
      for j in 0..<width {
        let normal = (at[j] - mean[row]) * rstd[row]
        let gradient = rstd[row] * (slope[j] * weight[j] - meanGradient - normal * meanProduct)
        out[j] = accumulate ? out[j] + gradient : gradient
      }
    }
  }
}
