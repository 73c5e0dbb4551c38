import Checkpoints
import Foundation

/// Carries the files of a folder over to the one that will replace it, as hard links: no bytes are copied.
enum LinkedFiles {
  /// Links all of `source` that `target` doesn't have, folders and what is in them included.
  ///
  /// - Throws: `CheckpointError` with the system's reason.
  static func carry(from source: URL, to target: URL) throws {
    let manager = FileManager.default
    for name in try manager.contentsOfDirectory(atPath: source.path).sorted() {
      let (from, to) = (source.appendingPathComponent(name), target.appendingPathComponent(name))
      var status = stat()
      guard lstat(from.path, &status) == 0 else { continue }
      if status.st_mode & S_IFMT == S_IFDIR {
        // A folder of the model itself was written anew, down to its last file.
        if manager.fileExists(atPath: to.path) { continue }
        try manager.createDirectory(at: to, withIntermediateDirectories: false)
        try carry(from: from, to: to)
      } else if !manager.fileExists(atPath: to.path), link(from.path, to.path) != 0 {
        throw CheckpointError(
          "can't be linked to \(to.path) (\(String(cString: strerror(errno))))", path: from.path,
          advice: "check that the folder can be written")
      }
    }
  }
}
