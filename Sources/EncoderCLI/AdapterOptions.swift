import ArgumentParser
import Checkpoints
import EncoderModel
import Foundation

/// The adapters that a command may run its model with.
struct AdapterOptions: ParsableArguments {
  @Option(
    help: "An adapter's directory (AdapterHub or PEFT), as DIR or NAME=DIR; may be repeated.")
  var adapter: [String] = []

  @Option(help: "Which of several adapters to use.")
  var adapterName: String?

  func validate() throws {
    guard adapterName == nil || !adapter.isEmpty else {
      throw ValidationError("--adapter-name chooses among --adapter; give one.")
    }
    guard adapter.count < 2 || adapterName != nil else {
      throw ValidationError("With several --adapter, --adapter-name says which to use.")
    }
  }

  /// Reads all of them over a base and returns the one to use; nil without any.
  ///
  /// - Throws: ``CLIError`` and `CheckpointError` for what can't be read or doesn't belong to the base.
  func load(
    over model: PretrainedModel, _ display: ProgressDisplay
  ) throws -> AdapterStack<Float>? {
    var set = AdapterSet(model)
    for text in adapter {
      let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
      // A folder's own name may have an equals sign in it.
      let isFolder = parts.count < 2 || FileManager.default.fileExists(atPath: text)
      let url = URL(fileURLWithPath: isFolder ? text : parts[1])
      let name = try set.load(url, name: isFolder ? nil : parts[0])
      guard let loaded = set[name] else { continue }
      if loaded.baseChecksum == nil {
        display.line(
          "notice: the adapter \(name) doesn't say which base it was trained over; its shapes fit")
      }
      if !loaded.ignoredTensors.isEmpty {
        display.line(
          "notice: tensors of the adapter \(name) that concern no vector: "
            + loaded.ignoredTensors.joined(separator: ", "))
      }
    }
    return try set.stack(named: adapterName ?? set.names.first)
  }
}
