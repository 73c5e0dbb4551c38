import Checkpoints
import EncoderModel
internal import Foundation
import Kernels

/// What stands beside or on top of an encoder in directories of its own.
extension FuzzTarget {
  /// Adapters that AdapterHub and PEFT have saved, one file of which is changed at a time; what is read
  /// runs over its base.
  static func adapters(_ goldens: URL) throws -> [FuzzTarget] {
    let base = try PretrainedModel.load(from: goldens.appendingPathComponent("checkpoints/mlm"))
    let workers = Workers(count: 1)
    let directories = [
      (name: "adapter-bottleneck", golden: "hub_double_seq_bn", weights: "adapter.safetensors"),
      (name: "adapter-lora", golden: "hub_lora", weights: "adapter.safetensors"),
      (name: "adapter-peft", golden: "peft_biases", weights: "adapter_model.safetensors"),
    ]
    return try directories.map { entry in
      let directory = goldens.appendingPathComponent("adapters/\(entry.golden)")
      return FuzzTarget(
        entry.name, seeds: try seeds(["adapter_config.json", entry.weights], of: directory),
        companions: directory,
        read: { url in
          let folder = url.deletingLastPathComponent()
          // It looks at less than the reader does, and may be asked about what that refuses.
          _ = try? AdapterDescription(folder)
          let adapter = try AdapterDirectory.read(folder, model: base)
          _ = base.embedder(adapters: adapter.stack, workers: workers).embed([[2, 9, 12, 3]])
        })
    }
  }

  /// A model with a Dense module, one file of which is changed at a time; what is read embeds a text.
  ///
  /// `directory` is where the unchanged one is made.
  static func dense(_ goldens: URL, in directory: URL) throws -> FuzzTarget {
    let base = try PretrainedModel.load(from: goldens.appendingPathComponent("checkpoints/st6"))
    let width = base.configuration.hiddenSize
    let layer = VectorProjection(
      inputs: width, outputs: 3, weight: (0..<3 * width).map { Float($0) / 64 },
      bias: [1, -2, 0.5], activation: .tanh)
    let model = try PretrainedModel.create(
      configuration: base.configuration, tokenizer: base.tokenizer,
      sentence: SentenceSettings(projections: [layer]), seed: 1)
    try model.write(to: directory, product: .encoder, modelCard: "")
    let workers = Workers(count: 1)
    return FuzzTarget(
      "model-dense",
      seeds: try seeds(
        ["2_Dense/config.json", "2_Dense/model.safetensors", "modules.json"], of: directory),
      companions: directory,
      read: { url in
        let folder = url.deletingLastPathComponent()
        let isModule = folder.lastPathComponent == "2_Dense"
        let model = try PretrainedModel.load(
          from: isModule ? folder.deletingLastPathComponent() : folder)
        _ = model.embedder(workers: workers).embed([[2, 9, 12, 3]])
      })
  }

  /// Files of a directory as they are.
  static func seeds(_ names: [String], of directory: URL) throws -> [(name: String, bytes: [UInt8])]
  {
    try names.map {
      (name: $0, bytes: try [UInt8](Data(contentsOf: directory.appendingPathComponent($0))))
    }
  }
}
