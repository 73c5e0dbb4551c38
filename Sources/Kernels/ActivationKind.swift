internal import RealModule

/// The non-linear functions that encoders, adapters and heads use.
public enum ActivationKind: Sendable, Hashable, CaseIterable {
  /// `z * Phi(z)` with the exact normal distribution function (Hendrycks and Gimpel, 2016).
  case gelu
  /// GELU by its tanh approximation, `z * (1 + tanh(sqrt(2/pi) * (z + 0.044715 z^3))) / 2`.
  case geluTanh
  /// `max(z, 0)`, with slope 0 at 0.
  case relu
  /// `z * sigmoid(z)`, also called SiLU.
  case swish
  /// The hyperbolic tangent.
  case tanh
  /// `z` itself.
  case identity

  /// The function's value at `z`, in the precision of `S`.
  package func value<S: KernelScalar>(_ z: S) -> S {
    switch self {
    case .gelu: z * normalDistribution(z)
    case .geluTanh: z * sigmoid(2 * tanhInner(z))
    case .relu: z < 0 ? 0 : z
    case .swish: z * sigmoid(z)
    case .tanh: S.tanh(z)
    case .identity: z
    }
  }

  /// The function's derivative at `z`, in the precision of `S`.
  package func slope<S: KernelScalar>(_ z: S) -> S {
    switch self {
    case .gelu:
      return normalDistribution(z) + z * S.exp(-z * z / 2) / S.sqrt(2 * .pi)
    case .geluTanh:
      let gate = sigmoid(2 * tanhInner(z))
      let innerSlope = S.sqrt(2 / .pi) * (1 + 0.134145 * z * z)
      return gate + z * gate * (1 - gate) * 2 * innerSlope
    case .relu: return z > 0 ? 1 : 0
    case .swish:
      let gate = sigmoid(z)
      return gate * (1 + z * (1 - gate))
    case .tanh:
      let t = S.tanh(z)
      return 1 - t * t
    case .identity: return 1
    }
  }
}

/// `1 / (1 + exp(-x))` without overflow.
func sigmoid<S: KernelScalar>(_ x: S) -> S {
  let e = S.exp(-abs(x))
  return x < 0 ? e / (1 + e) : 1 / (1 + e)
}

private func normalDistribution<S: KernelScalar>(_ z: S) -> S {
  S.erfc(-z / S.sqrt(2)) / 2
}

private func tanhInner<S: KernelScalar>(_ z: S) -> S {
  S.sqrt(2 / .pi) * (z + 0.044715 * z * z * z)
}
