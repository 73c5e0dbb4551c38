import Kernels
import TestSupport

extension [Double] {
  /// The numbers rounded to Float.
  var floats: [Float] { map { Float($0) } }
}

extension [Float] {
  /// The same numbers in Double, where the twins' results count as exact.
  var doubles: [Double] { map { Double($0) } }
}

/// Zeros to be overwritten or added to.
func zeros<S: KernelScalar>(_ count: Int) -> [S] { [S](repeating: 0, count: count) }

/// Random Floats in `-scale...scale`, for comparisons with a Double twin.
func randomFloats(_ count: Int, seed: UInt64, scale: Double = 1) -> [Float] {
  randomVector(count, seed: seed, scale: scale).floats
}
