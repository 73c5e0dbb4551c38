import Foundation
public import Kernels

extension ModelVersions {
  /// Updates the version in use and puts the result into use if it isn't worse.
  ///
  /// - Parameters:
  ///   - name: the new version's; nil takes the next number.
  ///   - keeping: versions beside the original, at most.
  ///   - input: given the version in use, what to learn from.
  /// - Returns: the report; its `version` is nil when nothing was put into use.
  /// - Throws: ``RecommenderError`` for a name that is taken, or what loading, updating and writing throw.
  public func update(
    name: String? = nil, keeping: Int = 5, options: UpdateOptions = UpdateOptions(),
    workers: Workers, note: (String) -> Void = { _ in },
    input: (Recommender) throws -> UpdateInput
  ) throws -> UpdateReport {
    try locked {
      let parent = try current()
      let name = try name ?? nextName()
      let target = try url(of: name)
      guard !FileManager.default.fileExists(atPath: target.path) else {
        throw RecommenderError(
          "there is a version \(name) already: \(directory.path); choose another name")
      }
      let recommender = try Recommender.load(from: directory, workers: workers)
      var (model, report): (Recommender?, UpdateReport) = try withoutActuallyEscaping(note) {
        try ModelUpdater(options: options, workers: workers, note: $0)
          .run(recommender, input(recommender))
      }
      report.parent = parent
      report.created = Date().timeIntervalSince1970.rounded()
      guard let model else { return report }
      report.version = name
      try FileManager.default.createDirectory(
        at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
      let source = try url(of: parent)
      func text(_ name: String) -> String? {
        (try? Data(contentsOf: source.appendingPathComponent(name)))
          .map { String(decoding: $0, as: UTF8.self) }
      }
      // What fine-tuning reported stays true of what the update didn't touch.
      let reports = [RecommenderReport.fileName, "training.jsonl"].compactMap { name in
        text(name).map { (name, $0) }
      }
      try model.write(
        to: target, modelCard: text("README.md") ?? "",
        extras: reports + [(UpdateReport.fileName, try report.json() + "\n")])
      try use(name)
      try removeOld(keeping: keeping)
      return report
    }
  }
}
