import Foundation
import Tokenization

/// Small JSON files, decoded with errors that name the file and the key.
enum JSONFile {
  /// More than any configuration file needs; an index of shards has one line a tensor.
  private static let maximumSize = 64 << 20

  static func decode<Value: Decodable>(_ type: Value.Type, from url: URL) throws -> Value {
    var status = stat()
    guard stat(url.path, &status) == 0 else {
      throw CheckpointError(
        "the file is missing", path: url.path,
        advice: "give a checkpoint's folder, with config.json and model.safetensors")
    }
    guard status.st_size <= maximumSize else {
      throw CheckpointError(
        "\(status.st_size) bytes are too many for a JSON file of a model", path: url.path,
        advice: "check that this is a checkpoint's folder")
    }
    let data = Data(try FileContents.load(url))
    do {
      return try JSONDecoder().decode(type, from: data)
    } catch let error as DecodingError {
      throw explain(error, url)
    }
  }

  static func decodeIfPresent<Value: Decodable>(
    _ type: Value.Type, from url: URL
  ) throws -> Value? {
    FileSystem.exists(url) ? try decode(type, from: url) : nil
  }

  private static func explain(_ error: DecodingError, _ url: URL) -> CheckpointError {
    func key(_ context: DecodingError.Context, _ last: (any CodingKey)? = nil) -> String? {
      let names = (context.codingPath + (last.map { [$0] } ?? [])).map(\.stringValue)
      return names.isEmpty ? nil : names.joined(separator: ".")
    }
    let advice = "correct the file, or fetch it again"
    switch error {
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return CheckpointError(
        "the value has the wrong type (\(context.debugDescription))", path: url.path,
        item: key(context), advice: advice)
    case .keyNotFound(let missing, let context):
      return CheckpointError(
        "the key is missing", path: url.path, item: key(context, missing), advice: advice)
    case .dataCorrupted(let context):
      return CheckpointError(
        "not valid (\(context.debugDescription))", path: url.path, item: key(context),
        advice: advice)
    @unknown default:
      return CheckpointError("not valid (\(error))", path: url.path, advice: advice)
    }
  }
}
