import ArgumentParser

/// The benchmark program: the project's stages, timed.
@main
struct EncoderBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "encoder-bench", abstract: "Times the project's stages.")
}
