internal import CKernels

/// Bias and activation in one pass over a matrix that ``Linear`` produced without a bias.
public enum BiasActivation {
  /// `z += bias` in place, then `y = f(z)`.
  ///
  /// `y` and `z` are (rows, width), `bias` is (width) or absent. `z` is kept for the backward pass;
  /// where there is none, `y` may be the same memory as `z`.
  public static func forward<S: KernelScalar>(
    y: UnsafeMutablePointer<S>, z: UnsafeMutablePointer<S>, bias: UnsafePointer<S>?, rows: Int,
    width: Int, kind: ActivationKind
  ) {
    guard S.self == Float.self else {
      return forwardTwin(y: y, z: z, bias: bias, rows: rows, width: width, kind: kind)
    }
    // Row by row, so that a row is still in the first-level cache when it is activated.
    for row in 0..<rows {
      let from = (z + row * width).floats
      if let bias { ck_add(from, bias.floats, width) }
      let to = (y + row * width).floats
      switch kind {
      case .gelu: ck_gelu_forward(to, from, width)
      case .geluTanh: ck_gelu_tanh_forward(to, from, width)
      case .relu: ck_relu_forward(to, from, width)
      case .swish: ck_swish_forward(to, from, width)
      case .tanh: ck_tanh_forward(to, from, width)
      case .identity: if to != from { to.update(from: from, count: width) }
      }
    }
  }

  /// `dz = dy * f'(z)`, element by element; `dz` may be the same memory as `dy`.
  ///
  /// All three hold `count` elements; `z` is what the forward pass left, bias included. The bias'
  /// gradient is the column sum of `dz` (``Linear`` or ``Reduction`` adds it up).
  public static func backward<S: KernelScalar>(
    dz: UnsafeMutablePointer<S>, dy: UnsafePointer<S>, z: UnsafePointer<S>, count: Int,
    kind: ActivationKind
  ) {
    guard S.self == Float.self else {
      return backwardTwin(dz: dz, dy: dy, z: z, count: count, kind: kind)
    }
    let (to, from, at) = (dz.floats, dy.floats, z.floats)
    switch kind {
    case .gelu: ck_gelu_backward(to, from, at, count)
    case .geluTanh: ck_gelu_tanh_backward(to, from, at, count)
    case .relu: ck_relu_backward(to, from, at, count)
    case .swish: ck_swish_backward(to, from, at, count)
    case .tanh: ck_tanh_backward(to, from, at, count)
    case .identity: if to != from { to.update(from: from, count: count) }
    }
  }

  package static func forwardTwin<S: KernelScalar>(
    y: UnsafeMutablePointer<S>, z: UnsafeMutablePointer<S>, bias: UnsafePointer<S>?, rows: Int,
    width: Int, kind: ActivationKind
  ) {
    for row in 0..<rows {
      for j in 0..<width {
        let i = row * width + j
        if let bias { z[i] += bias[j] }
        y[i] = kind.value(z[i])
      }
    }
  }

  package static func backwardTwin<S: KernelScalar>(
    dz: UnsafeMutablePointer<S>, dy: UnsafePointer<S>, z: UnsafePointer<S>, count: Int,
    kind: ActivationKind
  ) {
    for i in 0..<count { dz[i] = dy[i] * kind.slope(z[i]) }
  }
}
