public import EncoderModel
public import Foundation
public import Kernels

/// The state of a training run as one file: parameters, optimizer moments and where the run stands.
///
/// It is one generation, replaced atomically: a kill leaves the old state or the new one. The file is
/// a safetensors file whose tensors are named `SECTION/PARAMETER`; the progress record is JSON in its
/// `__metadata__`.
public enum TrainingState {
  /// A store and the name under which the state holds it, such as `first_moment`.
  public struct Section: Sendable {
    /// The name, without a slash.
    public let name: String
    /// The values.
    public let store: ParameterStore<Float>

    /// Pairs a name with a store.
    public init(_ name: String, _ store: ParameterStore<Float>) {
      self.name = name
      self.store = store
    }
  }

  private static let formatVersion = "1"

  /// Writes the state: `NAME.tmp`, fsync, rename, fsync of the folder.
  ///
  /// - Throws: ``CheckpointError`` when the disk fails; then the old state is intact.
  public static func write<Progress: Encodable>(
    _ progress: Progress, sections: [Section], to url: URL
  ) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let record = String(decoding: try encoder.encode(progress), as: UTF8.self)
    let declarations = sections.flatMap { section in
      section.store.table.entries.map {
        SafeTensorsWriter.Declaration("\(section.name)/\($0.name)", shape: $0.shape)
      }
    }
    let writer = try SafeTensorsWriter(
      url, tensors: declarations,
      metadata: [("format_version", formatVersion), ("progress", record)])
    for section in sections {
      for parameter in section.store.table.entries {
        try writer.append(
          UnsafeBufferPointer(start: section.store[parameter], count: parameter.count))
      }
    }
    try writer.finish()
  }

  /// Reads the progress record alone.
  ///
  /// - Throws: ``CheckpointError`` when the file is damaged or isn't a training state.
  public static func readProgress<Progress: Decodable>(
    _ type: Progress.Type, from url: URL
  ) throws -> Progress {
    try progress(type, SafeTensorsFile(url))
  }

  /// Fills the stores and returns the progress record.
  ///
  /// All names and shapes are compared before anything is changed.
  ///
  /// - Throws: ``CheckpointError`` that says which tensor differs; then no store has changed, unless
  ///   the disk failed while values were read.
  public static func read<Progress: Decodable>(
    _ type: Progress.Type, sections: [Section], from url: URL
  ) throws -> Progress {
    let file = try SafeTensorsFile(url)
    let progress = try progress(type, file)
    var expected = 0
    for section in sections {
      for parameter in section.store.table.entries {
        try check(parameter, of: section, in: file)
        expected += 1
      }
    }
    guard expected == file.tensors.count else {
      let names = Set(
        sections.flatMap { section in
          section.store.table.entries.map { Array("\(section.name)/\($0.name)".utf8) }
        })
      let extra = file.tensors.first { !names.contains(Array($0.name.utf8)) }
      throw mismatch("the model has no such tensor", file, item: extra?.name ?? "")
    }
    for section in sections {
      for parameter in section.store.table.entries {
        guard let tensor = file["\(section.name)/\(parameter.name)"] else { continue }
        try file.read(
          tensor,
          into: UnsafeMutableBufferPointer(
            start: section.store[parameter], count: parameter.count))
      }
    }
    return progress
  }

  private static func check(
    _ parameter: Parameter, of section: Section, in file: SafeTensorsFile
  ) throws {
    let name = "\(section.name)/\(parameter.name)"
    guard let tensor = file[name] else {
      throw mismatch("the state lacks the tensor", file, item: name)
    }
    guard tensor.shape == parameter.shape else {
      throw mismatch(
        "the state's tensor has shape \(tensor.shape), the model's \(parameter.shape)", file,
        item: name)
    }
  }

  private static func progress<Progress: Decodable>(
    _ type: Progress.Type, _ file: SafeTensorsFile
  ) throws -> Progress {
    guard let version = file.metadataValue("format_version"),
      let record = file.metadataValue("progress")
    else {
      throw mismatch("the file isn't a training state", file, item: "__metadata__")
    }
    guard version == formatVersion else {
      throw mismatch("format version \(version) is unknown", file, item: "format_version")
    }
    do {
      return try JSONDecoder().decode(type, from: Data(record.utf8))
    } catch {
      throw mismatch("the progress record can't be read (\(error))", file, item: "progress")
    }
  }

  private static func mismatch(
    _ what: String, _ file: SafeTensorsFile, item: String
  ) -> CheckpointError {
    CheckpointError(
      what, path: file.url.path, item: item,
      advice: "resume with the options that the run began with, or start anew")
  }
}
