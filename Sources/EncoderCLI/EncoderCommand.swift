import ArgumentParser
import Foundation

/// The command-line program `encoder`.
@main
struct EncoderCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "encoder",
    abstract: "Recommends new items from their text: pretrain, fine-tune, embed, recommend.",
    version: "0.1.0",
    subcommands: [
      VocabCommand.self, TokenizeCommand.self, PretrainCommand.self,
    ])
}
