import Checkpoints
import Datasets
import EncoderModel
import Foundation
import Kernels

/// Adapters in the format of AdapterHub's `adapters` library: `adapter_config.json` and
/// `adapter.safetensors`, loaded there by `load_adapter(DIR, use_safetensors=True)`.
enum AdapterDirectory {
  private struct Config: Codable {
    struct Inner: Codable {
      var mh_adapter = false
      var output_adapter = true
      var reduction_factor: Double
      var non_linearity = "relu"
      var original_ln_before = true
      var original_ln_after = true
      var ln_before = false
      var ln_after = false
      var is_parallel = false
      var scaling = 1.0
      var residual_before_ln = true
      var adapter_residual_before_ln = false
      var init_weights = "bert"
      var use_gating = false
      var dropout = 0.0
      var phm_layer = false
      var leave_out: [Int]
    }
    var config: Inner
    var hidden_size: Int
    var model_class = "BertModel"
    var model_name = ""
    var model_type = "bert"
    var name = "item"
    var version = "adapters.1.3.0"
    /// Ours: which base the adapter belongs to.
    var base_checksum: String
  }

  static func write(
    _ stack: AdapterStack<Float>, model: PretrainedModel, to folder: URL, _ checksum: String
  ) throws {
    let adapter = folder.appendingPathComponent("adapter")
    try FileManager.default.createDirectory(at: adapter, withIntermediateDirectories: true)
    let width = model.configuration.hiddenSize
    let bottleneck = stack.adapters.compactMap { $0 }.first?.bottleneckWidth ?? 1
    let config = Config(
      config: .init(
        reduction_factor: Double(width) / Double(bottleneck),
        leave_out: stack.adapters.indices.filter { stack.adapters[$0] == nil }),
      hidden_size: width, base_checksum: checksum)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try AtomicFile.write(
      Array(try encoder.encode(config)), to: adapter.appendingPathComponent("adapter_config.json"))
    let entries = stack.weights.table.entries
    let writer = try SafeTensorsWriter(
      adapter.appendingPathComponent("adapter.safetensors"),
      tensors: entries.map { .init($0.name, shape: $0.shape) }, metadata: [("format", "pt")])
    for entry in entries {
      try writer.append(UnsafeBufferPointer(start: stack.weights[entry], count: entry.count))
    }
    try writer.finish()
  }

  static func read(
    from folder: URL, model: PretrainedModel, options: AdapterTrainer.AdapterOptions,
    checksum: String
  ) throws -> AdapterStack<Float> {
    let adapter = folder.appendingPathComponent("adapter")
    let configURL = adapter.appendingPathComponent("adapter_config.json")
    let config: Config
    do {
      config = try JSONDecoder().decode(Config.self, from: Data(contentsOf: configURL))
    } catch {
      throw CheckpointError(
        "the adapter's configuration can't be read", path: configURL.path,
        advice: "restore the file, or fine-tune again")
    }
    guard config.base_checksum == checksum else {
      throw CheckpointError(
        "the adapter belongs to another base (\(config.base_checksum), this one is \(checksum))",
        path: configURL.path, advice: "restore the base that it was trained with")
    }
    let stack = AdapterTrainer.makeAdapters(model.encoder, options: options)
    let file = try SafeTensorsFile(adapter.appendingPathComponent("adapter.safetensors"))
    for entry in stack.weights.table.entries {
      guard let tensor = file[entry.name], tensor.shape == entry.shape else {
        throw TensorStore.damaged(
          "the tensor is missing or has another shape than \(entry.shape)", entry.name, file)
      }
      try file.read(
        tensor,
        into: UnsafeMutableBufferPointer(start: stack.weights[entry], count: entry.count))
    }
    return stack
  }
}
