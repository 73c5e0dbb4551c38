import Foundation
import Tokenization

/// A small JSON file of a model directory, read key by key with errors that name file and key.
struct JSONFile {
  /// Where the file is.
  let url: URL
  /// Its content.
  let root: JSONValue
  /// More than any configuration file needs; an index of shards has one line a tensor.
  private static let maximumSize = 64 << 20

  /// Reads a file that must exist.
  init(_ url: URL) throws {
    self.url = url
    var status = stat()
    guard stat(url.path, &status) == 0 else {
      throw CheckpointError(
        "the file is missing", path: url.path,
        advice: "give a checkpoint's folder, with config.json and model.safetensors")
    }
    guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= JSONFile.maximumSize else {
      throw CheckpointError(
        "this is no JSON file of a model (\(status.st_size) bytes)", path: url.path,
        advice: "check that this is a checkpoint's folder")
    }
    do {
      root = try JSONValue.parse(try FileContents.load(url), rejectDuplicateKeys: true)
    } catch let error as JSONError {
      throw CheckpointError(
        error.description, path: url.path, advice: "correct the file, or fetch it again")
    }
  }

  /// Reads a file if there is one of that name.
  static func ifPresent(_ url: URL) throws -> JSONFile? {
    FileSystem.exists(url) ? try JSONFile(url) : nil
  }

  /// The value of a key in the outermost object; `nil` when it is missing or null.
  private func value<Value>(
    _ key: String, _ kind: String, _ convert: (JSONValue) -> Value?
  ) throws -> Value? {
    guard let found = root[key], !found.isNull else { return nil }
    guard let value = convert(found) else {
      throw CheckpointError(
        "the value isn't \(kind)", path: url.path, item: key, advice: "correct the file")
    }
    return value
  }

  func string(_ key: String) throws -> String? { try value(key, "a string") { $0.stringValue } }

  func flag(_ key: String) throws -> Bool? { try value(key, "true or false") { $0.boolValue } }

  func integer(_ key: String) throws -> Int? { try value(key, "a whole number") { $0.intValue } }

  func number(_ key: String) throws -> Double? { try value(key, "a number") { $0.doubleValue } }

  /// A list of strings.
  func strings(_ key: String) throws -> [String]? {
    try value(key, "a list of strings") { list in
      guard let elements = list.arrayValue else { return nil }
      let strings = elements.compactMap(\.stringValue)
      return strings.count == elements.count ? strings : nil
    }
  }

  /// An object whose values are strings, in file order.
  func stringPairs(_ key: String) throws -> [(key: String, value: String)]? {
    try value(key, "an object of strings") { object in
      guard let members = object.objectValue else { return nil }
      let pairs = members.compactMap { member in
        member.value.stringValue.map { (key: member.key, value: $0) }
      }
      return pairs.count == members.count ? pairs : nil
    }
  }

  /// Writes a value, indented, atomically.
  static func write(_ value: JSONValue, _ name: String, in directory: URL) throws {
    try FileContents.save(
      value.serialized(pretty: true), to: directory.appendingPathComponent(name))
  }
}
