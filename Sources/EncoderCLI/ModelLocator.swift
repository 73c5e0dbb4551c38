import Foundation

/// Finds the model of a command: the one named, else the newest checkpoint under ./checkpoints, else
/// the starter that ships with the program.
struct ModelLocator {
  /// A model's directory and, where nobody named it, why it was chosen.
  struct Choice: Equatable {
    let url: URL
    /// A line for the user; `nil` for a directory that was named.
    let notice: String?
  }

  /// The starter's folder, under `checkpoints` of the package or `share/encoder` of an installation.
  static let starterName = "starter"

  private let working: URL
  private let executable: URL?

  /// Looks from a working directory and an executable; by default this process's.
  init(
    working: URL = URL(fileURLWithPath: FileManager.default.currentDirectoryPath),
    executable: URL? = Bundle.main.executableURL
  ) {
    self.working = working
    self.executable = executable?.resolvingSymlinksInPath()
  }

  /// - Throws: ``CLIError`` when there is no model anywhere.
  func locate(_ named: String?, includingRecommenders: Bool = false) throws -> Choice {
    if let named {
      return Choice(url: URL(fileURLWithPath: named, relativeTo: working), notice: nil)
    }
    if let newest = newestCheckpoint(includingRecommenders) {
      return Choice(
        url: newest, notice: "model: \(newest.path) (the newest checkpoint; --model names another)")
    }
    if let starter = starter() {
      return Choice(
        url: starter,
        notice:
          "model: \(starter.path) (the starter, as there is no checkpoint; --model names another)")
    }
    throw CLIError(
      "there is no model: neither \(working.appendingPathComponent("checkpoints").path) nor the "
        + "program's folder has one; name one with --model, or make one with encoder pretrain")
  }

  /// The same for a fine-tuned model.
  ///
  /// - Throws: ``CLIError`` when there is none.
  func locateRecommender(_ named: String?) throws -> Choice {
    if let named {
      return Choice(url: URL(fileURLWithPath: named, relativeTo: working), notice: nil)
    }
    let folder = working.appendingPathComponent("checkpoints", isDirectory: true)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    var best: (url: URL, date: Date)?
    for name in names.sorted() {
      let url = folder.appendingPathComponent(name, isDirectory: true)
      guard let date = ModelLocator.date(url.appendingPathComponent("recommender.json")) else {
        continue
      }
      if best.map({ date > $0.date }) ?? true { best = (url, date) }
    }
    guard let best else {
      throw CLIError(
        "there is no fine-tuned model: \(folder.path); name one with --model, or make one with "
          + "encoder finetune")
    }
    return Choice(
      url: best.url,
      notice: "model: \(best.url.path) (the newest fine-tuned one; --model names another)")
  }

  /// The directory below ./checkpoints whose weights were written last; of equal ones the first by name.
  private func newestCheckpoint(_ includingRecommenders: Bool) -> URL? {
    let folder = working.appendingPathComponent("checkpoints", isDirectory: true)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let dated = names.sorted().compactMap { name -> (url: URL, date: Date)? in
      let url = folder.appendingPathComponent(name, isDirectory: true)
      let date =
        ModelLocator.modelDate(url)
        ?? (includingRecommenders
          ? ModelLocator.date(url.appendingPathComponent("recommender.json")) : nil)
      return date.map { (url, $0) }
    }
    return dated.reduce(nil) { best, next -> (url: URL, date: Date)? in
      guard let best else { return next }
      return next.date > best.date ? next : best
    }?.url
  }

  private static func date(_ file: URL) -> Date? {
    let attributes = try? FileManager.default.attributesOfItem(atPath: file.path)
    return attributes?[.modificationDate] as? Date
  }

  /// When a directory's model was written; `nil` when there is none in it.
  private static func modelDate(_ directory: URL) -> Date? {
    let configuration = directory.appendingPathComponent("config.json")
    guard FileManager.default.fileExists(atPath: configuration.path) else { return nil }
    let weights = ["model.safetensors", "model.safetensors.index.json"]
    return weights.compactMap { date(directory.appendingPathComponent($0)) }.first
  }

  /// The starter: in an installation's `../share/encoder`, or in `checkpoints` of a folder above the
  /// executable, which is the package when it was built there.
  private func starter() -> URL? {
    guard var folder = executable?.deletingLastPathComponent() else { return nil }
    var candidates = [
      folder.deletingLastPathComponent().appendingPathComponent("share/encoder")
    ]
    while folder.path != "/" {
      candidates.append(folder.appendingPathComponent("checkpoints"))
      folder.deleteLastPathComponent()
    }
    return candidates.map { $0.appendingPathComponent(ModelLocator.starterName) }
      .first { ModelLocator.modelDate($0) != nil }
  }
}
