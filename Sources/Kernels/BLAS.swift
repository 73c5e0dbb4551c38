internal import COpenBLAS

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
}
