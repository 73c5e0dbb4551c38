import Foundation

/// A folder for one test's files, removed when the value goes.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent(
      "encoder-datasets-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func file(_ name: String, _ contents: String = "") throws -> URL {
    try file(name, Array(contents.utf8))
  }

  func file(_ name: String, _ bytes: [UInt8]) throws -> URL {
    let url = url.appendingPathComponent(name)
    try Data(bytes).write(to: url)
    return url
  }
}

/// A file of Tests/Goldens/datasets.
func golden(_ name: String) -> URL {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Goldens/datasets").appendingPathComponent(name)
}
