internal import Foundation

/// What to say where the environment keeps OpenBLAS from this processor's own kernels.
///
/// Some machines set `OPENBLAS_CORETYPE` for every program. Results stay right, but with the kernels for
/// AVX2 on a processor with AVX-512 long runs take up to twice as long, and nobody would know why.
public enum KernelNotice {
  /// The notice for this process; nil where there is nothing to say.
  public static var current: String? {
    text(
      coreType: ProcessInfo.processInfo.environment["OPENBLAS_CORETYPE"], chosen: BLAS.coreName,
      processor: (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? "")
  }

  /// The notice for a variable's value, the kernels that OpenBLAS took and what `/proc/cpuinfo` says.
  package static func text(coreType: String?, chosen: String, processor: String) -> String? {
    let wide = ["skylakex", "cooperlake", "sapphirerapids"]
    guard let coreType, !wide.contains(chosen.lowercased()),
      let flags = processor.split(separator: "\n").first(where: { $0.hasPrefix("flags") })
    else { return nil }
    let names = flags.split(separator: " ")
    guard ["avx512f", "avx512vl", "avx512bw", "avx512dq"].allSatisfy({ names.contains($0[...]) })
    else { return nil }
    return "notice: OPENBLAS_CORETYPE=\(coreType) keeps OpenBLAS from this processor's AVX-512 "
      + "kernels, with which this takes about half the time; unset it for speed"
  }
}
