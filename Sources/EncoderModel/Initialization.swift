public import Kernels
internal import RealModule

/// BERT's initialisation: normal weights, zero biases, LayerNorm at the identity.
public enum Initialization {
  /// Fills a store: `.bias` with 0, LayerNorm weights with 1, all else from N(0, `deviation`²).
  ///
  /// The order of draws is the order of the table, so a seed gives one model. Adapter up-projections
  /// are zeroed separately, see ``BottleneckAdapter/initialize(_:using:)``.
  public static func fill<S: KernelScalar>(
    _ store: ParameterStore<S>, deviation: Double,
    using generator: inout some RandomNumberGenerator
  ) {
    for entry in store.table.entries {
      let values = UnsafeMutableBufferPointer(start: store[entry], count: entry.count)
      if entry.name.hasSuffix("bias") {
        values.update(repeating: 0)
      } else if entry.name.contains("LayerNorm") {
        values.update(repeating: 1)
      } else {
        fillNormal(values, deviation: deviation, using: &generator)
      }
    }
  }

  /// Fills a buffer from N(0, `deviation`²) by the Box-Muller transform.
  public static func fillNormal<S: KernelScalar>(
    _ values: UnsafeMutableBufferPointer<S>, deviation: Double,
    using generator: inout some RandomNumberGenerator
  ) {
    var index = 0
    while index < values.count {
      // 53 random bits each; the first is moved into (0, 1] so that its logarithm is finite.
      let u = (Double(generator.next() >> 11) + 1) * 0x1p-53
      let v = Double(generator.next() >> 11) * 0x1p-53
      let radius = deviation * (-2 * Double.log(u)).squareRoot()
      values[index] = S(radius * Double.cos(2 * .pi * v))
      if index + 1 < values.count { values[index + 1] = S(radius * Double.sin(2 * .pi * v)) }
      index += 2
    }
  }
}
