public import Testing

/// Compares hand-written gradients with central differences, in Double.
///
/// A tensor-valued operation becomes a scalar by projecting its output on a fixed random vector, which
/// is then also the upstream gradient of its backward pass: `loss = sum(output * projection)`.
public struct GradientCheck: Sendable {
  /// The distance of the two evaluations from the point.
  public var step: Double
  /// The largest accepted difference, absolute and relative alike.
  public var tolerance: Double

  /// Creates a check; the defaults fit operations of moderate curvature and inputs near 1.
  public init(step: Double = 1e-5, tolerance: Double = 1e-6) {
    self.step = step
    self.tolerance = tolerance
  }

  /// The scalar that belongs to an output and a projection.
  public static func project(_ output: [Double], on projection: [Double]) -> Double {
    precondition(output.count == projection.count, "output and projection differ in size")
    return zip(output, projection).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// Expects `gradient` to be the derivative of `loss` by every element of `input`.
  public func expect(
    _ label: String, input: [Double], gradient: [Double],
    sourceLocation: SourceLocation = #_sourceLocation, loss: ([Double]) -> Double
  ) {
    guard input.count == gradient.count else {
      Issue.record(
        "\(label): \(gradient.count) gradients of \(input.count) inputs",
        sourceLocation: sourceLocation)
      return
    }
    var numeric = [Double](repeating: 0, count: input.count)
    var moved = input
    for i in input.indices {
      moved[i] = input[i] + step
      let above = loss(moved)
      moved[i] = input[i] - step
      numeric[i] = (above - loss(moved)) / (2 * step)
      moved[i] = input[i]
    }
    expectClose(
      gradient, numeric, absolute: tolerance, relative: tolerance, "gradient of \(label)",
      sourceLocation: sourceLocation)
  }
}

/// Numbers between `-scale` and `scale`, the same for the same seed (SplitMix64).
public func randomVector(_ count: Int, seed: UInt64, scale: Double = 1) -> [Double] {
  var state = seed &* 0xD129_0F2B_3C4E_9A77
  return (0..<count).map { _ in
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    z ^= z >> 31
    return (Double(z >> 11) * 0x1p-52 - 1) * scale
  }
}
