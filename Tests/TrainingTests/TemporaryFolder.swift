import Foundation

/// A folder that is removed with its owner, which is a test's suite: it lives as long as the test runs.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent(
      "encoder-training-\(UUID().uuidString)", isDirectory: true)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func folder(_ name: String) -> URL { url.appendingPathComponent(name, isDirectory: true) }
}
