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
      var mhAdapter = false
      var outputAdapter = true
      var reductionFactor: Double
      var nonLinearity = "relu"
      var originalLnBefore = true
      var originalLnAfter = true
      var lnBefore = false
      var lnAfter = false
      var isParallel = false
      var scaling = 1.0
      var residualBeforeLn = true
      var adapterResidualBeforeLn = false
      var initWeights = "bert"
      var useGating = false
      var dropout = 0.0
      var phmLayer = false
      var leaveOut: [Int]
    }
    var config: Inner
    var hiddenSize: Int
    var modelClass = "BertModel"
    var modelName = ""
    var modelType = "bert"
    var name = "item"
    var version = "adapters.1.3.0"
    /// Ours: which base the adapter belongs to.
    var baseChecksum: String
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
        reductionFactor: Double(width) / Double(bottleneck),
        leaveOut: stack.adapters.indices.filter { stack.adapters[$0] == nil }),
      hiddenSize: width, baseChecksum: checksum)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    encoder.keyEncodingStrategy = .convertToSnakeCase
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
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      config = try decoder.decode(Config.self, from: Data(contentsOf: configURL))
    } catch {
      throw CheckpointError(
        "the adapter's configuration can't be read", path: configURL.path,
        advice: "restore the file, or fine-tune again")
    }
    guard config.baseChecksum == checksum else {
      throw CheckpointError(
        "the adapter belongs to another base (\(config.baseChecksum), this one is \(checksum))",
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
