import Foundation

/// An error of a command itself: what is wrong, where, what to do.
struct CLIError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Finds out before hours of work whether the result can be written.
enum OutputCheck {
  /// - Throws: ``CLIError`` when a file can't be created in the directory, or in the nearest parent
  ///   that exists. Leaves nothing behind.
  static func directory(_ url: URL) throws {
    var folder = url.standardizedFileURL
    var isDirectory: ObjCBool = false
    while !FileManager.default.fileExists(atPath: folder.path, isDirectory: &isDirectory),
      folder.path != "/"
    {
      folder.deleteLastPathComponent()
    }
    guard isDirectory.boolValue else {
      throw CLIError(
        "the output needs a folder and this is a file: \(folder.path); choose another --output")
    }
    // Only an attempt tells: access() knows neither of full disks nor of file systems like /proc.
    var probe = Array(folder.appendingPathComponent(".encoder-XXXXXX").path.utf8CString)
    let descriptor = mkstemp(&probe)
    guard descriptor >= 0 else {
      throw CLIError(
        "the output can't be written (\(String(cString: strerror(errno)))): \(folder.path); "
          + "check its permissions or choose another --output")
    }
    close(descriptor)
    unlink(probe)
  }

  /// The same for a file.
  static func file(_ path: String) throws {
    let url = URL(fileURLWithPath: path)
    var isDirectory: ObjCBool = false
    if FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory),
      isDirectory.boolValue
    {
      throw CLIError("the output is a folder: \(path); give a file's name")
    }
    let folder = url.standardizedFileURL.deletingLastPathComponent()
    guard FileManager.default.fileExists(atPath: folder.path) else {
      throw CLIError(
        "there is no such folder: \(folder.path); create it, or choose another --output")
    }
    try directory(folder)
  }
}
