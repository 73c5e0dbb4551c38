import ArgumentParser
import Kernels

/// Flags of the commands that compute without training.
struct SharedOptions: ParsableArguments {
  @Option(help: "Threads; by default one a core.")
  var threads: Int?

  @Flag(help: "No notices and no progress on standard error.")
  var quiet = false

  @Flag(
    help: "What was done as one JSON object on standard error, in place of notices and progress.")
  var json = false

  func validate() throws {
    try FlagLimits.check("--threads", threads, FlagLimits.threads)
  }

  /// The threads to use.
  var workers: Workers { Workers(count: threads) }
}
