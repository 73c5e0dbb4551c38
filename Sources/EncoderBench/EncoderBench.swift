import ArgumentParser
import Kernels

/// The benchmark program: the project's stages, timed, and the parts of its recipe, weighed.
///
/// `make bench` drives it together with the Python peers, `make quality` runs `ablation`; `kernels` and
/// `scaling` stand alone.
@main
struct EncoderBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "encoder-bench",
    abstract: "Times the project's stages, and weighs the recipe's parts.",
    subcommands: [
      WorkerCommand.self, KernelsCommand.self, ScalingCommand.self, ReadCommand.self,
      AblationCommand.self,
    ])

  static func main() {
    do { try BLAS.requireUsableKernels() } catch { exit(withError: error) }
    BLAS.useSingleThread()
    main(nil)
  }
}
