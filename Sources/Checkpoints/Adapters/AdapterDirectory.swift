public import EncoderModel
public import Foundation
public import Kernels

/// The layouts in which an adapter is kept in a directory of its own.
public enum AdapterFormat: String, Sendable, CaseIterable {
  /// AdapterHub's `adapters`: adapter_config.json and adapter.safetensors.
  case adapterHub = "adapterhub"
  /// Hugging Face's PEFT: adapter_config.json and adapter_model.safetensors.
  case peft
  /// A whole encoder, as for `AutoModel`: what full fine-tuning gives.
  case model
}

/// An adapter that was read from a directory, ready to run over its base.
public struct AdapterDirectory: Sendable {
  /// The adapter's own name; the directory's name in formats that have none.
  public let name: String
  /// The layout in which it was found.
  public let format: AdapterFormat
  /// The adapter.
  public let stack: AdapterStack<Float>
  /// Which base it was trained over, where the directory says so; other programs' don't.
  public let baseChecksum: String?
  /// Tensors that concern no vector: classifiers and poolers on top of the encoder.
  public let ignoredTensors: [String]

  /// The key in a file's `__metadata__` that holds ``baseChecksum``.
  static let checksumKey = "encoder_base_checksum"
  static let configName = "adapter_config.json"

  /// Whether a directory holds an adapter in one of the two libraries' layouts.
  public static func isAdapter(_ directory: URL) -> Bool {
    FileSystem.exists(directory.appendingPathComponent(configName))
  }

  /// Reads an adapter of any ``AdapterFormat`` for a base.
  ///
  /// - Throws: ``CheckpointError`` that names the file and the tensor or key: an adapter of another base
  ///   (by checksum where there is one, by shapes otherwise), of a kind or with an option that isn't
  ///   supported, pickled weights, a damaged file.
  public static func read(_ directory: URL, model: PretrainedModel) throws -> AdapterDirectory {
    guard FileSystem.isDirectory(directory) else {
      throw CheckpointError(
        "there is no such folder", path: directory.path,
        advice: "give an adapter's folder, with \(configName)")
    }
    let url = directory.appendingPathComponent(configName)
    guard let config = try JSONFile.ifPresent(url) else {
      return try FullModelAdapter.read(directory, model: model)
    }
    if let type = try config.string("peft_type") {
      return try PEFTReader(directory, config: config, model: model).read(type)
    }
    guard config.root["config"] != nil else {
      throw CheckpointError(
        "this is no adapter of AdapterHub or PEFT", path: url.path, item: "config",
        advice: "give a folder that save_adapter or save_pretrained wrote")
    }
    return try AdapterHubReader(directory, config: config, model: model).read()
  }

  /// Opens the weights, and refuses those of another base.
  static func weights(
    _ directory: URL, _ name: String, pickled: String, model: PretrainedModel, advice: String
  ) throws -> SafeTensorsFile {
    let url = directory.appendingPathComponent(name)
    guard FileSystem.exists(url) else {
      let old = directory.appendingPathComponent(pickled)
      throw CheckpointError(
        FileSystem.exists(old)
          ? "the adapter's weights are pickled, which could run any code" : "the file is missing",
        path: FileSystem.exists(old) ? old.path : url.path, advice: advice)
    }
    let file = try SafeTensorsFile(url)
    try check(file.metadataValue(checksumKey), model, path: url.path)
    return file
  }

  static func check(_ checksum: String?, _ model: PretrainedModel, path: String) throws {
    guard let checksum else { return }
    let own = model.weightsChecksum
    guard checksum.utf8.elementsEqual(own.utf8) else {
      throw CheckpointError(
        "the adapter belongs to another base (\(checksum), this one is \(own))", path: path,
        advice: "name the model that it was trained over")
    }
  }
}
