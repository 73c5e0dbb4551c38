public import Foundation

/// What an adapter's directory says of itself, without the base that it was trained over.
public struct AdapterDescription: Sendable, Equatable {
  /// The adapter's own name; the directory's name in formats that have none.
  public let name: String
  /// The layout in which it was found.
  public let format: AdapterFormat
  /// What it is made of, in the words of its own configuration.
  public let parts: String
  /// Values of its tensors.
  public let parameterCount: Int
  /// The base that it names: by checksum, else by the name that the other library noted.
  public let base: String?

  /// Reads a directory of AdapterHub or PEFT; shapes aren't compared with anything.
  ///
  /// - Throws: ``CheckpointError`` for another directory, pickled weights and damaged files.
  public init(_ directory: URL) throws {
    let url = directory.appendingPathComponent(AdapterDirectory.configName)
    guard FileSystem.isDirectory(directory), let config = try JSONFile.ifPresent(url) else {
      throw CheckpointError(
        "there is no \(AdapterDirectory.configName)", path: directory.path,
        advice: "give an adapter's folder; a whole encoder needs --model too")
    }
    let type = try config.string("peft_type")
    format = type == nil ? .adapterHub : .peft
    let names =
      type == nil
      ? (AdapterHubReader.weightsName, "pytorch_adapter.bin")
      : (PEFTReader.weightsName, "adapter_model.bin")
    let weights = directory.appendingPathComponent(names.0)
    let pickled = directory.appendingPathComponent(names.1)
    guard FileSystem.exists(weights) else {
      throw CheckpointError(
        FileSystem.exists(pickled)
          ? "the adapter's weights are pickled, which could run any code" : "the file is missing",
        path: FileSystem.exists(pickled) ? pickled.path : weights.path,
        advice: "save the adapter as safetensors")
    }
    let file = try SafeTensorsFile(weights)
    parameterCount = file.tensors.reduce(0) { $0 + $1.count }
    let own = directory.standardizedFileURL.lastPathComponent
    name = type == nil ? try config.string("name") ?? own : own
    let (kind, size) = try AdapterDescription.kind(config, peftType: type)
    parts = ([kind, size].compactMap { $0 } + ["\(file.tensors.count) tensors"])
      .joined(separator: ", ")
    let noted = try config.string(type == nil ? "model_name" : "base_model_name_or_path")
    base = file.metadataValue(AdapterDirectory.checksumKey) ?? noted
  }

  private static func kind(
    _ config: JSONFile, peftType: String?
  ) throws -> (String, size: String?) {
    if let peftType {
      return (peftType, try config.number("r").map { "rank \($0.formatted())" })
    }
    let options = JSONOptions(config, within: "config")
    if let architecture = try options.string("architecture") {
      return (architecture, try options.number("r").map { "rank \($0.formatted())" })
    }
    return (
      "bottlenecks",
      try options.number("reduction_factor").map { "width divided by \($0.formatted())" }
    )
  }
}

extension Double {
  /// A whole number without a point.
  fileprivate func formatted() -> String { Int(exactly: self).map { "\($0)" } ?? "\(self)" }
}
