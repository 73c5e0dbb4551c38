import Foundation

/// A new generation of a model directory, complete on the disk before anything of the old one changes.
///
/// A directory that doesn't exist yet is staged beside its place and appears by one rename. In an
/// existing one the files are staged inside, then renamed one by one, the weights last. Where their
/// configuration changes too, the old weights go first: a crash in between may leave a directory
/// without weights, which is an error that says so, but never weights under another configuration.
struct DirectoryStaging {
  /// Written first, and so in every staged folder: it tells our leftovers from other people's folders.
  static let marker = "encoder.json"
  static let innerName = ".staging.tmp"
  static let weights = "model.safetensors"
  /// The files that say how weights are to be read.
  private static let describing = [
    "config.json", "tokenizer.json", "vocab.txt", "tokenizer_config.json",
    "sentence_bert_config.json", "modules.json", "1_Pooling/config.json", "2_Dense/config.json",
    "2_Dense/model.safetensors",
  ]

  let target: URL
  /// Where the files of the new generation are written.
  let folder: URL
  private let replacesExisting: Bool

  static func sibling(of directory: URL) -> URL {
    let standard = directory.standardizedFileURL
    return standard.deletingLastPathComponent()
      .appendingPathComponent(standard.lastPathComponent + ".tmp", isDirectory: true)
  }

  init(_ directory: URL) throws {
    target = directory.standardizedFileURL
    replacesExisting = FileSystem.exists(target)
    if replacesExisting, !FileSystem.isDirectory(target) {
      throw CheckpointError(
        "a model needs a folder and this is a file", path: target.path,
        advice: "choose another --output")
    }
    folder =
      replacesExisting
      ? target.appendingPathComponent(DirectoryStaging.innerName, isDirectory: true)
      : DirectoryStaging.sibling(of: directory)
    if FileSystem.exists(folder) {
      guard DirectoryStaging.isLeftover(folder) else {
        throw CheckpointError(
          "the folder is in the way", path: folder.path, advice: "remove or rename it")
      }
      try DirectoryStaging.remove(folder)
    }
    try FileSystem.createDirectory(folder)
  }

  /// Removes what was staged, after a failure.
  func discard() { try? DirectoryStaging.remove(folder) }

  /// Whether a folder is what a killed run had staged, and not somebody else's.
  static func isLeftover(_ folder: URL) -> Bool {
    if folder.lastPathComponent == innerName { return true }
    if FileSystem.exists(folder.appendingPathComponent(marker)) { return true }
    // The kill may have come before the marker had its name.
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
    return names?.allSatisfy { $0 == marker + ".tmp" } ?? false
  }

  /// Removes a staged folder, the marker last: a kill in between leaves what is still known as ours.
  static func remove(_ folder: URL) throws {
    let manager = FileManager.default
    for name in try manager.contentsOfDirectory(atPath: folder.path).sorted() where name != marker {
      try manager.removeItem(at: folder.appendingPathComponent(name))
    }
    try manager.removeItem(at: folder)
  }

  /// Puts the staged files, which have been flushed to the disk, in place.
  func publish(_ names: [String]) throws {
    FileSystem.synchronizeFolder(of: folder.appendingPathComponent("x").path)
    guard replacesExisting else {
      try FileSystem.move(folder, to: target)
      FileSystem.synchronizeFolder(of: target.path)
      return
    }
    for name in names where name.contains("/") {
      try FileSystem.createDirectory(
        target.appendingPathComponent(name).deletingLastPathComponent())
    }
    if DirectoryStaging.describing.contains(where: differs) {
      unlink(target.appendingPathComponent(DirectoryStaging.weights).path)
      unlink(target.appendingPathComponent(DirectoryStaging.weights + ".index.json").path)
    }
    // What the new generation doesn't have would be of another model.
    for name in [DirectoryStaging.weights, PretrainedModel.graphFile] where !names.contains(name) {
      unlink(target.appendingPathComponent(name).path)
    }
    let last = names.filter { $0 == DirectoryStaging.weights }
    let ordered = names.filter { $0 != DirectoryStaging.weights } + last
    for name in ordered {
      try FileSystem.move(
        folder.appendingPathComponent(name), to: target.appendingPathComponent(name))
    }
    FileSystem.synchronizeFolder(of: target.appendingPathComponent("x").path)
    discard()
  }

  private func differs(_ name: String) -> Bool {
    let (old, new) = (target.appendingPathComponent(name), folder.appendingPathComponent(name))
    // What neither generation has is the same in both.
    guard FileSystem.exists(old) || FileSystem.exists(new) else { return false }
    return !FileManager.default.contentsEqual(atPath: old.path, andPath: new.path)
  }
}
