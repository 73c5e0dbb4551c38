internal import COpenBLAS
internal import Foundation

/// The process-wide state of OpenBLAS.
///
/// The project parallelises by its own workers, so BLAS runs single-threaded, except inside
/// ``withThreads(_:_:)`` around one large factorisation while no worker runs.
public enum BLAS {
  /// Switches OpenBLAS to one thread a call.
  ///
  /// Programs and tests call it before any other work.
  public static func useSingleThread() { openblas_set_num_threads(1) }

  /// Runs `body` with `count` BLAS threads, then returns to one.
  ///
  /// Not for use while workers run.
  public static func withThreads<Result>(
    _ count: Int, _ body: () throws -> Result
  ) rethrows -> Result {
    openblas_set_num_threads(Int32(max(count, 1)))
    defer { openblas_set_num_threads(1) }
    return try body()
  }

  /// The name of the kernel set OpenBLAS chose for this processor, for example `Zen` or `SkylakeX`.
  public static var coreName: String { String(cString: openblas_get_corename()) }

  /// The kernel set that the environment asks for.
  static var environmentCoreType: String? {
    ProcessInfo.processInfo.environment["OPENBLAS_CORETYPE"]
  }

  /// Makes sure that this processor can run the kernels OpenBLAS chose.
  ///
  /// Programs call it before any other work: nothing catches an instruction that a processor doesn't have.
  ///
  /// - Throws: ``UnusableKernels`` where `OPENBLAS_CORETYPE` named kernels for another processor.
  public static func requireUsableKernels() throws(UnusableKernels) {
    guard environmentCoreType != nil else { return }
    try requireUsable(kernels: coreName, processor: .current)
  }

  package static func requireUsable(
    kernels name: String, processor: ProcessorFeatures
  ) throws(UnusableKernels) {
    guard processor.isSuperset(of: .needed(byKernels: name)) else {
      throw UnusableKernels(name: name)
    }
  }
}
