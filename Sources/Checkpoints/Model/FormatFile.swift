import Foundation

/// `encoder.json`: what kind of directory this is and in which version of the format.
///
/// Directories of transformers have none and are read as version 1.
enum FormatFile {
  static let version = 1

  static func check(_ directory: URL) throws {
    let url = directory.appendingPathComponent(DirectoryStaging.marker)
    guard let found = try JSONFile.ifPresent(url)?.integer("format_version") else { return }
    guard found <= version else {
      throw CheckpointError(
        "format version \(found) is newer than \(version), the one that this "
          + "program knows", path: url.path, item: "format_version",
        advice: "use a newer version of encoder")
    }
  }

  static func write(kind: String, to directory: URL) throws {
    try JSONFile.write(
      ["format_version": .integer(Int64(version)), "kind": .string(kind)],
      DirectoryStaging.marker, in: directory)
  }
}
