import ArgumentParser
import Foundation
import Kernels

/// The command-line program `encoder`.
@main
struct EncoderCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "encoder",
    abstract: "Recommends new items from their text: pretrain, fine-tune, embed, recommend.",
    version: "0.1.0",
    subcommands: [
      VocabCommand.self, TokenizeCommand.self, PretrainCommand.self, EmbedCommand.self,
      SplitCommand.self, FinetuneCommand.self, EvaluateCommand.self, RecommendCommand.self,
      ScoreCommand.self, ExportCommand.self, AdapterCommand.self, UpdateCommand.self,
      ForgetCommand.self,
    ] + served)

  /// What needs the package trait `Server`.
  private static var served: [any ParsableCommand.Type] {
    #if Server
      [ServeCommand.self]
    #else
      []
    #endif
  }
}

extension EncoderCommand {
  /// Runs the command; an error is one line `error: what: where; what to do` and exit code 1, wrong
  /// usage is swift-argument-parser's message and 64.
  static func main() async {
    do {
      var command = try parseAsRoot()
      try BLAS.requireUsableKernels()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      if error is CleanExit || error is ExitCode || error is ValidationError
        || exitCode(for: error) != .failure
      {
        exit(withError: error)
      }
      StandardError.write("error: \(oneLine(error))")
      Foundation.exit(1)
    }
  }

  private static func oneLine(_ error: any Error) -> String {
    String(describing: error).split(whereSeparator: \.isNewline).joined(separator: " ")
  }
}
