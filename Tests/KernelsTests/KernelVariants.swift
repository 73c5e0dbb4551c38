import CKernelsVariants
import TestSupport
import Testing

/// The C kernels as this machine's processor runs them, and as others would.
///
/// The compiler makes each kernel three times, and a program takes one of them when it is loaded.
/// What the others compute on other machines is compared with it.
enum KernelVariants {
  /// What programs run on this machine.
  static var own: ck_kernels { ck_kernels_chosen().pointee }

  /// What they would run on lesser processors, as far as this one can.
  static var others: [(name: String, kernels: ck_kernels)] { Array(all.dropFirst()) }

  /// Its own first, then the others.
  static var all: [(name: String, kernels: ck_kernels)] {
    var all: [(name: String, kernels: ck_kernels)] = [
      ("own", own), ("portable", ck_kernels_portable().pointee),
    ]
    if let version3 = ck_kernels_version3() { all.append(("x86-64-v3", version3.pointee)) }
    return all
  }

  /// Lengths with and without whole vectors and blocks of them, and with every kind of remainder.
  static let lengths = [0, 1, 7, 15, 16, 17, 63, 64, 65, 1000, 4099]

  /// Expects the same result everywhere: of kernels that round nothing, or each number once.
  static func expectSame<Result: Equatable>(
    _ label: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ run: (ck_kernels) -> Result
  ) {
    let expected = run(own)
    for (name, kernels) in others {
      let result = run(kernels)
      #expect(result == expected, "\(label), \(name)", sourceLocation: sourceLocation)
    }
  }

  /// Expects numbers that differ by rounding: a fused product and sum, or another order of a sum.
  static func expectNear(
    _ label: String, absolute: Float = 0, relative: Float = 0,
    sourceLocation: SourceLocation = #_sourceLocation, _ run: (ck_kernels) -> [Float]
  ) {
    let expected = run(own)
    for (name, kernels) in others {
      expectClose(
        run(kernels), expected, absolute: absolute, relative: relative, "\(label), \(name)",
        sourceLocation: sourceLocation)
    }
  }
}
