/// What to say where the environment keeps OpenBLAS from this processor's own kernels.
///
/// Some machines set `OPENBLAS_CORETYPE` for every program. Results stay right, but with the kernels for
/// AVX2 on a processor with AVX-512 long runs take up to twice as long, and nobody would know why.
public enum KernelNotice {
  /// The notice for this process; nil where there is nothing to say.
  public static var current: String? {
    text(coreType: BLAS.environmentCoreType, chosen: BLAS.coreName, processor: .current)
  }

  /// The notice for a variable's value, the kernels that OpenBLAS took and what the processor has.
  package static func text(
    coreType: String?, chosen: String, processor: ProcessorFeatures
  ) -> String? {
    guard let coreType, processor.contains(.avx512),
      ProcessorFeatures.needed(byKernels: chosen) != .avx512
    else { return nil }
    return "notice: OPENBLAS_CORETYPE=\(coreType) keeps OpenBLAS from this processor's AVX-512 "
      + "kernels, with which this takes about half the time; unset it for speed"
  }
}
