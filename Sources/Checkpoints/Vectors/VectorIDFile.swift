import Foundation
import Tokenization

/// The ids of vectors beside a file that has no place for them: `NAME.ids.txt`, one a line.
struct VectorIDFile {
  private let file: PendingFile
  private let path: String

  /// Where the ids of the vectors in `url` stand.
  static func url(besides url: URL) -> URL {
    url.deletingPathExtension().appendingPathExtension("ids.txt")
  }

  init(besides url: URL) throws {
    let url = VectorIDFile.url(besides: url)
    path = url.path
    file = try PendingFile(url)
  }

  func append(_ names: [String]) throws {
    for name in names {
      guard !name.utf8.contains(where: { $0 == 0x0A || $0 == 0x0D }) else {
        throw CheckpointError(
          "an id holds a line end, and the file has one id a line", path: path, item: name,
          advice: "write .jsonl or .csv")
      }
      try file.append(name + "\n")
    }
  }

  func commit() throws { try file.commit() }

  /// Reads the ids of the vectors in `vectors`.
  ///
  /// - Throws: ``CheckpointError`` when there is no such file, it isn't UTF-8, or it has another number
  ///   of lines than `count`.
  static func read(besides vectors: URL, count: Int) throws -> [String] {
    let url = url(besides: vectors)
    guard FileManager.default.fileExists(atPath: url.path) else {
      throw CheckpointError(
        "the vectors have no ids", path: url.path,
        advice: "write the \(count) ids of \(vectors.lastPathComponent) there, one a line")
    }
    let bytes = try FileContents.load(url)
    var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map {
      $0.last == 0x0D ? $0.dropLast() : $0
    }
    if lines.last?.isEmpty == true { lines.removeLast() }
    guard lines.count == count else {
      throw CheckpointError(
        "\(lines.count) ids for \(count) vectors", path: url.path,
        advice: "write one id a line, in the order of the vectors")
    }
    return try lines.enumerated().map { number, line in
      guard let text = String(validating: line, as: UTF8.self) else {
        throw CheckpointError(
          "an id isn't UTF-8", path: "\(url.path):\(number + 1)",
          advice: "convert the file to UTF-8")
      }
      return text
    }
  }
}
