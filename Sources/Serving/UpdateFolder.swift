import Foundation

/// The folder in which a server hands its events to the process that updates the model.
package enum UpdateFolder {
  private static let prefix = "encoder-update-"

  /// This process's.
  static var own: URL {
    FileManager.default.temporaryDirectory
      .appendingPathComponent("\(prefix)\(ProcessInfo.processInfo.processIdentifier)")
  }

  /// Removes the folders of processes that are gone: they hold what users did.
  package static func removeLeftovers(
    in parent: URL = FileManager.default.temporaryDirectory
  ) {
    let names = try? FileManager.default.contentsOfDirectory(atPath: parent.path)
    for name in names ?? [] where name.hasPrefix(prefix) {
      guard let id = Int32(name.dropFirst(prefix.count)), id > 0 else { continue }
      guard kill(id, 0) != 0, errno == ESRCH else { continue }
      try? FileManager.default.removeItem(at: parent.appendingPathComponent(name))
    }
  }
}
