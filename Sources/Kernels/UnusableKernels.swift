/// The environment made OpenBLAS take kernels whose instructions this processor doesn't have.
///
/// OpenBLAS takes the kernels that `OPENBLAS_CORETYPE` names without a look at the processor: a variable carried
/// from one machine to another, in a container for example, would end the program at its first product.
public struct UnusableKernels: Error, CustomStringConvertible {
  /// The kernel set's name, for example `SkylakeX`.
  public let name: String

  /// What is wrong, and what to do.
  public var description: String {
    "OPENBLAS_CORETYPE: it makes OpenBLAS use its kernels for \(name), whose instructions this processor doesn't have; "
      + "unset the variable, or give it the name of this processor's kernels"
  }
}
