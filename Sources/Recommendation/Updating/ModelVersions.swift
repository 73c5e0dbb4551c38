import Checkpoints
import Datasets
public import Foundation

/// The versions of a fine-tuned model's directory.
///
///     DIR/                  what encoder finetune wrote: the version called "original"
///     DIR/versions/NAME/    a complete model that encoder update wrote
///     DIR/current           the name of the version in use; not there: the original
///
/// `current` is replaced by a rename, so a reader sees the version before or the one after, and each of
/// them is complete: it was staged beside its place before it got its name.
public struct ModelVersions: Sendable {
  /// The name of the version that stands in the directory itself.
  public static let original = "original"
  /// The model's directory.
  public let directory: URL

  /// Names the directory that `encoder finetune` wrote.
  public init(_ directory: URL) { self.directory = directory }

  private var folder: URL { directory.appendingPathComponent("versions", isDirectory: true) }
  private var pointer: URL { directory.appendingPathComponent("current") }

  /// The name of the version in use.
  ///
  /// - Throws: `CheckpointError` for a file `current` that holds no version's name.
  public func current() throws -> String {
    guard FileManager.default.fileExists(atPath: pointer.path) else {
      return ModelVersions.original
    }
    guard let bytes = try? Data(contentsOf: pointer), bytes.count < 256 else {
      throw CheckpointError(
        "the name of the version in use can't be read", path: pointer.path,
        advice: "remove the file to use the original")
    }
    let name = String(
      decoding: bytes.split(separator: UInt8(ascii: "\n")).first ?? [], as: UTF8.self)
    guard try exists(name) else {
      throw CheckpointError(
        "there is no version \(name)", path: pointer.path,
        advice: "write one of \(try names().joined(separator: ", ")) into it, or remove it")
    }
    return name
  }

  /// Where a version's files are.
  ///
  /// - Throws: ``RecommenderError`` for a name that can't be a version's.
  public func url(of name: String) throws -> URL {
    try ModelVersions.check(name)
    return name.utf8.elementsEqual(ModelVersions.original.utf8)
      ? directory : folder.appendingPathComponent(name, isDirectory: true)
  }

  /// All names: the original, then the others in the order of their numbers and letters.
  public func names() throws -> [String] {
    let found = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let versions = found.filter {
      ModelVersions.isName($0) && !$0.hasSuffix(".tmp")
        && RecommenderDirectory.isRecommender(folder.appendingPathComponent($0))
    }
    return [ModelVersions.original]
      + versions.sorted { (ModelVersions.number($0), $0) < (ModelVersions.number($1), $1) }
  }

  /// Whether there is a complete version of that name.
  public func exists(_ name: String) throws -> Bool {
    guard ModelVersions.isName(name) else { return false }
    return RecommenderDirectory.isRecommender(try url(of: name))
  }

  /// Puts a version into use, atomically; loaded models stay what they are.
  ///
  /// - Throws: ``RecommenderError`` when there is no such version.
  public func use(_ name: String) throws {
    guard try exists(name) else {
      throw RecommenderError(
        "there is no version \(name): \(directory.path); there are "
          + (try names().joined(separator: ", ")))
    }
    try AtomicFile.write(name + "\n", to: pointer)
  }

  /// The next free name: v1, v2 and so on.
  public func nextName() throws -> String {
    "v\((try names().map(ModelVersions.number).max() ?? 0) + 1)"
  }

  /// Removes the oldest versions but `count`; the original and the one in use always stay.
  public func removeOld(keeping count: Int) throws {
    let used = try current()
    let removable = try names().filter {
      !$0.utf8.elementsEqual(ModelVersions.original.utf8) && !$0.utf8.elementsEqual(used.utf8)
    }
    let others = used.utf8.elementsEqual(ModelVersions.original.utf8) ? 0 : 1
    for name in removable.dropLast(max(0, count - others)) {
      try FileManager.default.removeItem(at: try url(of: name))
    }
  }

  /// The report that `encoder update` left with a version, if it did.
  public func report(of name: String) throws -> UpdateReport? {
    let file = try url(of: name).appendingPathComponent(UpdateReport.fileName)
    guard let bytes = try? Data(contentsOf: file) else { return nil }
    return try? UpdateReport.decoder.decode(UpdateReport.self, from: bytes)
  }

  /// Runs `body` while no other process changes the versions.
  ///
  /// - Throws: ``RecommenderError`` when another one does, and what `body` throws.
  public func locked<Result>(_ body: () throws -> Result) throws -> Result {
    let path = directory.appendingPathComponent(".update.lock").path
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw RecommenderError(
        "the folder can't be written (\(String(cString: strerror(errno)))): \(directory.path); "
          + "check its permissions")
    }
    defer { close(descriptor) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw RecommenderError(
        "another update of the model is running: \(directory.path); wait until it has ended")
    }
    removeLeftovers()
    return try body()
  }

  /// Removes what a killed update left behind.
  private func removeLeftovers() {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    where name.hasSuffix(".tmp") {
      let url = folder.appendingPathComponent(name)
      if RecommenderDirectory.isStaging(url) { try? FileManager.default.removeItem(at: url) }
    }
  }

  /// The number in a name like v12; 0 for other names.
  private static func number(_ name: String) -> Int {
    name.utf8.first == UInt8(ascii: "v") ? Int(name.dropFirst()) ?? 0 : 0
  }

  private static func isName(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= 100 && name.utf8.first != UInt8(ascii: ".")
      && name.utf8.allSatisfy {
        switch $0 {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
          UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }

  private static func check(_ name: String) throws {
    guard isName(name) else {
      throw RecommenderError(
        "a version's name has letters, digits, '.', '_' and '-', and begins with no '.': \(name); "
          + "choose another name")
    }
  }
}
