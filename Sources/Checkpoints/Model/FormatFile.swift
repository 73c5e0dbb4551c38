import Foundation

/// `encoder.json`: what kind of directory this is and in which version of the format.
///
/// Directories of transformers have none and are read as version 1.
enum FormatFile {
  static let version = 1

  private struct Contents: Decodable {
    let format_version: Int
  }

  static func check(_ directory: URL) throws {
    let url = directory.appendingPathComponent(DirectoryStaging.marker)
    guard let contents = try JSONFile.decodeIfPresent(Contents.self, from: url) else { return }
    guard contents.format_version <= version else {
      throw CheckpointError(
        "format version \(contents.format_version) is newer than \(version), the one that this "
          + "program knows", path: url.path, item: "format_version",
        advice: "use a newer version of encoder")
    }
  }

  static func write(kind: String, to directory: URL) throws {
    try TextFile.write(
      "{\n  \"format_version\": \(version),\n  \"kind\": \"\(kind)\"\n}\n",
      DirectoryStaging.marker, in: directory)
  }
}
