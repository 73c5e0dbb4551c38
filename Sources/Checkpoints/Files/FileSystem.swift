import Foundation

/// The few operations on names that checkpoints need.
enum FileSystem {
  /// Makes a rename in the folder of `path` durable; where the file system can't, nothing is lost.
  static func synchronizeFolder(of path: String) {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = fsync(descriptor)
    close(descriptor)
  }

  static func exists(_ url: URL) -> Bool { access(url.path, F_OK) == 0 }

  static func isDirectory(_ url: URL) -> Bool {
    var status = stat()
    return stat(url.path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  static func move(_ source: URL, to target: URL) throws {
    guard rename(source.path, target.path) == 0 else {
      throw CheckpointError(
        "can't be renamed to \(target.path) (\(String(cString: strerror(errno))))",
        path: source.path, advice: "check that the folder can be written")
    }
  }

  static func createDirectory(_ url: URL) throws {
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
      throw CheckpointError(
        "folder can't be created (\(String(cString: strerror(errno))))", path: url.path,
        advice: "check the path and its permissions, or choose another --output")
    }
  }
}

extension PendingFile {
  /// Removes what a run that was killed has left: `*.tmp` in a checkpoint's folder and in its
  /// subfolders, and the folder `NAME.tmp` beside it in which a new checkpoint was being staged.
  ///
  /// Call it before writing to `directory`, never while another process writes there.
  public static func removeLeftovers(in directory: URL) {
    let manager = FileManager.default
    let staging = DirectoryStaging.sibling(of: directory)
    if FileSystem.exists(staging), DirectoryStaging.isLeftover(staging) {
      try? DirectoryStaging.remove(staging)
    }
    for url in contents(directory) {
      if url.lastPathComponent.hasSuffix(".tmp") {
        if FileSystem.isDirectory(url), url.lastPathComponent != DirectoryStaging.innerName {
          continue
        }
        try? manager.removeItem(at: url)
      } else if FileSystem.isDirectory(url) {
        for inner in contents(url)
        where inner.lastPathComponent.hasSuffix(".tmp") && !FileSystem.isDirectory(inner) {
          try? manager.removeItem(at: inner)
        }
      }
    }
  }

  private static func contents(_ directory: URL) -> [URL] {
    let found = try? FileManager.default.contentsOfDirectory(
      at: directory, includingPropertiesForKeys: nil)
    return (found ?? []).sorted { $0.path < $1.path }
  }
}
