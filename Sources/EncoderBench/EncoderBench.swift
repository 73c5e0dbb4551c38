import ArgumentParser
import Kernels

/// The benchmark program: the project's stages, timed.
///
/// `make bench` drives it together with the Python peers; `kernels` and `scaling` stand alone.
@main
struct EncoderBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "encoder-bench", abstract: "Times the project's stages.",
    subcommands: [WorkerCommand.self, KernelsCommand.self, ScalingCommand.self, ReadCommand.self])

  static func main() {
    BLAS.useSingleThread()
    main(nil)
  }
}
