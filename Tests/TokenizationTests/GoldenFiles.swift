import Foundation
import Testing
import Tokenization

/// The golden files that Tests/Goldens/tokenization/generate.py wrote.
enum GoldenFiles {
  static func url(_ name: String) -> URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Goldens/tokenization/\(name)")
  }

  static func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: url(name))) }

  static func json(_ name: String) throws -> JSONValue { try JSONValue.parse(bytes(name)) }

  static func vocabulary() throws -> Vocabulary {
    try Vocabulary(contentsOf: url("vocab.txt"))
  }

  /// The options as the golden files write them.
  static func options(_ json: JSONValue, limit: Int = 100) -> TokenizerOptions {
    TokenizerOptions(
      lowercase: json["lowercase"]?.boolValue ?? true,
      stripAccents: json["strip_accents"]?.boolValue,
      tokenizeChineseCharacters: json["handle_chinese_chars"]?.boolValue ?? true,
      cleanText: json["clean_text"]?.boolValue ?? true, maximumWordLength: limit)
  }
}

extension JSONValue {
  /// A list of ids.
  var ids: [Int32] { (arrayValue ?? []).compactMap { $0.intValue.map { Int32($0) } } }

  func list(_ key: String) throws -> [JSONValue] { try #require(self[key]?.arrayValue) }

  func text(_ index: Int) throws -> String { try #require(self[index]?.stringValue) }
}

/// A directory that is removed when the last reference goes.
final class TemporaryDirectory {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func write(_ text: String, to name: String) throws -> URL {
    let file = url.appendingPathComponent(name)
    try Data(text.utf8).write(to: file)
    return file
  }

  func contents() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: url.path).sorted()
  }
}
