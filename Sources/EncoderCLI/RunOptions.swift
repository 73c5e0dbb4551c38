import ArgumentParser
import Kernels
import Training

/// How long a training command runs.
struct RunLengthOptions: ParsableArguments {
  @Option(help: "Train for this many minutes.")
  var minutes: Double?

  @Option(help: "Passes over the data, a total also with --resume.")
  var epochs: Double?

  @Option(help: "Optimizer steps, a total also with --resume.")
  var steps: Int?

  func validate() throws {
    let given = [minutes != nil, epochs != nil, steps != nil].filter { $0 }.count
    guard given <= 1 else {
      throw ValidationError("Give one of --minutes, --epochs and --steps.")
    }
    try FlagLimits.check("--minutes", minutes, atMost: FlagLimits.minutes)
    try FlagLimits.check("--epochs", epochs, atMost: Double(FlagLimits.epochs.upperBound))
    try FlagLimits.check("--steps", steps, FlagLimits.steps)
  }

  /// The budget that was asked for, if one was.
  var budget: TrainingBudget? {
    minutes.map { .minutes($0) } ?? epochs.map { .epochs($0) } ?? steps.map { .steps($0) }
  }
}

/// Flags that all training commands share.
struct RunOptions: ParsableArguments {
  @Option(help: "Write a checkpoint every so many steps; by default every three minutes.")
  var saveEvery: Int?

  @Flag(help: "Continue the run whose state is in the output directory.")
  var resume = false

  @Option(help: "Seed of everything random.")
  var seed: UInt64 = 42

  @Option(help: "Threads; by default one a core.")
  var threads: Int?

  @Flag(help: "No progress on standard error.")
  var quiet = false

  @Flag(help: "Progress as one JSON object a line on standard error.")
  var json = false

  func validate() throws {
    try FlagLimits.check("--threads", threads, FlagLimits.threads)
    try FlagLimits.check("--save-every", saveEvery, FlagLimits.steps)
  }

  var threadCount: Int { threads ?? Workers.coreCount }
}
