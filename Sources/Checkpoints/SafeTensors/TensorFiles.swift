public import Foundation

/// The tensors of a model directory: one `model.safetensors`, or shards under an index.
public struct TensorFiles: Sendable {
  /// A tensor and the file that holds it.
  public struct Entry: Sendable {
    /// Name, type, shape and place.
    public let tensor: TensorDescription
    /// The file.
    public let file: SafeTensorsFile
  }

  /// What errors about the whole collection name: the file, or the index of the shards.
  public let path: String
  /// All tensors: file by file, each in the order of its bytes.
  public let entries: [Entry]

  /// Opens `directory/model.safetensors`, else the shards that
  /// `directory/model.safetensors.index.json` lists.
  ///
  /// - Throws: ``CheckpointError`` when there are no weights, or an index that doesn't fit its shards
  ///   or names a file outside the directory.
  public init(directory: URL, name: String = "model") throws {
    let single = directory.appendingPathComponent("\(name).safetensors")
    let index = directory.appendingPathComponent("\(name).safetensors.index.json")
    if FileSystem.exists(single) {
      let file = try SafeTensorsFile(single)
      path = single.path
      entries = file.tensors.map { Entry(tensor: $0, file: file) }
    } else if FileSystem.exists(index) {
      path = index.path
      entries = try TensorFiles.shards(index, in: directory)
    } else {
      throw TensorFiles.missing(directory)
    }
  }

  /// A folder's one `model.safetensors`, which must exist.
  static func single(_ directory: URL) throws -> URL {
    let url = directory.appendingPathComponent("model.safetensors")
    guard FileSystem.exists(url) else { throw missing(directory) }
    return url
  }

  private static func shards(_ index: URL, in directory: URL) throws -> [Entry] {
    guard let pairs = try JSONFile(index).stringPairs("weight_map") else {
      throw CheckpointError(
        "the key is missing", path: index.path, item: "weight_map",
        advice: "use the index that came with the shards")
    }
    var entries: [Entry] = []
    for name in Set(pairs.map(\.value)).sorted() {
      // A shard's name comes from an untrusted file: it may only be a file of this directory.
      guard !name.isEmpty, !name.contains("/"), !name.contains("\\"), name != "..",
        !name.contains("\0"), name.hasSuffix(".safetensors")
      else {
        throw CheckpointError(
          "weight_map names a file that isn't a .safetensors of this folder", path: index.path,
          item: name, advice: "use the index that came with the shards")
      }
      let shard = directory.appendingPathComponent(name)
      guard FileSystem.exists(shard) else {
        throw CheckpointError(
          "the shard is missing", path: shard.path, advice: "fetch all files of the model")
      }
      let file = try SafeTensorsFile(shard)
      for (name, _) in pairs.filter({ $0.value == name }) {
        guard let tensor = file[name] else {
          throw CheckpointError(
            "the index lists the tensor and the shard lacks it", path: shard.path, item: name,
            advice: "fetch all files of the model again")
        }
        entries.append(Entry(tensor: tensor, file: file))
      }
    }
    return entries
  }

  private static func missing(_ directory: URL) -> CheckpointError {
    for name in ["pytorch_model.bin", "tf_model.h5", "flax_model.msgpack"] {
      // Large models are cut into shards, which an index of the whole's name lists.
      let isThere = [name, "\(name).index.json"].contains {
        FileSystem.exists(directory.appendingPathComponent($0))
      }
      guard isThere else { continue }
      return CheckpointError(
        "the weights are in \(name), which isn't read, as such files can run code",
        path: directory.path,
        advice: "convert them with transformers: "
          + "AutoModel.from_pretrained(DIR).save_pretrained(DIR, safe_serialization=True)")
    }
    return CheckpointError(
      "there is no model.safetensors", path: directory.path,
      advice: "give a checkpoint's folder, with config.json and model.safetensors")
  }
}
