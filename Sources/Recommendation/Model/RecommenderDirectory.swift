import Checkpoints
import Datasets
public import Foundation

/// Names and moves of a fine-tuned model's directory.
public enum RecommenderDirectory {
  static let summaryName = "recommender.json"

  /// Where a fine-tuned model keeps its adapter.
  static func adapter(of directory: URL) -> URL {
    directory.appendingPathComponent("adapter", isDirectory: true)
  }

  /// Whether a directory holds a fine-tuned model.
  public static func isRecommender(_ url: URL) -> Bool {
    FileManager.default.fileExists(atPath: url.appendingPathComponent(summaryName).path)
  }

  /// Whether a folder is what a killed run had staged, and not somebody else's: empty, or begun with the
  /// base.
  static func isStaging(_ folder: URL) -> Bool {
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
    return names.map { $0.isEmpty || $0.contains("base") } ?? false
  }

  /// Puts a complete staged directory in the place of `target`.
  ///
  /// An older version steps aside first and goes last: a kill in between leaves one of the two
  /// complete, under its name or `NAME.old.tmp`.
  static func publish(_ staging: URL, as target: URL) throws {
    let manager = FileManager.default
    func move(_ from: URL, _ to: URL) throws {
      guard rename(from.path, to.path) == 0 else {
        throw CheckpointError(
          "can't be renamed to \(to.path) (\(String(cString: strerror(errno))))",
          path: from.path, advice: "check that the folder can be written")
      }
    }
    guard manager.fileExists(atPath: target.path) else { return try move(staging, target) }
    let contents = try manager.contentsOfDirectory(atPath: target.path)
    let isUnfinished = contents.allSatisfy { $0.hasPrefix(FinetuneCheckpoint.fileName) }
    guard isUnfinished || isRecommender(target) else {
      throw CheckpointError(
        "the folder holds something else than a fine-tuned model", path: target.path,
        advice: "choose another --output")
    }
    let aside = target.deletingLastPathComponent()
      .appendingPathComponent(target.lastPathComponent + ".old.tmp", isDirectory: true)
    try? manager.removeItem(at: aside)
    try move(target, aside)
    do { try move(staging, target) } catch {
      try? move(aside, target)
      throw error
    }
    try? manager.removeItem(at: aside)
  }

  /// Completes or undoes what a killed run left beside `target`.
  public static func recover(_ target: URL) {
    let manager = FileManager.default
    let standard = target.standardizedFileURL
    let parent = standard.deletingLastPathComponent()
    let aside = parent.appendingPathComponent(
      standard.lastPathComponent + ".old.tmp", isDirectory: true)
    let staging = parent.appendingPathComponent(
      standard.lastPathComponent + ".tmp", isDirectory: true)
    if isRecommender(aside) {
      if manager.fileExists(atPath: standard.path) {
        try? manager.removeItem(at: aside)
      } else {
        _ = rename(aside.path, standard.path)
      }
    }
    if isStaging(staging) {
      try? manager.removeItem(at: staging)
    }
  }

  /// FNV-1a of a file's bytes: tells a base from another, it isn't for security.
  static func checksum(_ url: URL) throws -> String {
    let source = try ByteSource(path: url.path)
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let count = try source.read(into: buffer)
      if count == 0 { break }
      for byte in buffer[..<count] { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }
    let text = String(hash, radix: 16)
    return "fnv1a64:" + String(repeating: "0", count: 16 - text.count) + text
  }
}
