public import Checkpoints
import EncoderModel
public import Foundation
import Kernels

/// The output directory of a pretraining run: the model with the lowest validation loss, the training
/// log, and the state from which the run can be resumed.
///
/// Nothing exists before the first ``save(_:model:records:card:)``. The state is written last: whatever
/// moment a kill comes at, it refers to a model and a log that are at least as new.
public final class PretrainingDirectory {
  /// The directory.
  public let url: URL
  private var lines: [String] = []
  private var exported: Double?
  private var hasExported = false
  private var isResumed = false
  /// When the run began, in seconds since 1970.
  private var start = Date().timeIntervalSince1970

  /// Names the directory; it needn't exist.
  public init(_ url: URL) { self.url = url }

  private var stateURL: URL { url.appendingPathComponent("training_state.safetensors") }
  private var logURL: URL { url.appendingPathComponent("training.jsonl") }

  /// Whether a run can be resumed from here.
  public var hasState: Bool { FileManager.default.fileExists(atPath: stateURL.path) }

  /// Removes what a run that was killed has left.
  ///
  /// A folder without a model of ours is left alone.
  public func removeLeftovers() {
    let marker = url.appendingPathComponent("encoder.json").path
    guard !hasFolder || FileManager.default.fileExists(atPath: marker) else { return }
    PendingFile.removeLeftovers(in: url)
  }

  private var hasFolder: Bool { FileManager.default.fileExists(atPath: url.path) }

  /// The progress record of the last checkpoint.
  ///
  /// - Throws: `CheckpointError` when there is none or it is damaged.
  public func readProgress() throws -> PretrainingProgress {
    try TrainingState.readProgress(PretrainingProgress.self, from: stateURL)
  }

  /// Loads weights and moments of the last checkpoint and hands them to the trainer.
  ///
  /// - Throws: `CheckpointError` when the state doesn't fit the model, ``TrainingError`` when the
  ///   corpus is another one.
  public func resume(_ trainer: Pretrainer) throws {
    let table = trainer.model.weights.table
    let best = ParameterStore<Float>(table)
    let first = ParameterStore<Float>(table)
    let second = ParameterStore<Float>(table)
    let progress = try TrainingState.read(
      PretrainingProgress.self,
      sections: sections(trainer.model.weights, best, first, second), from: stateURL)
    // A log line that the last checkpoint doesn't know will be written again.
    let log = String(decoding: (try? Data(contentsOf: logURL)) ?? Data(), as: UTF8.self)
    lines = log.split(separator: "\n").prefix(progress.records).map(String.init)
    start = EventFile.start(in: url) ?? start
    try trainer.resume(
      progress, best: best, first: first, second: second,
      seconds: progress.seconds ?? lastSeconds())
    isResumed = true
  }

  /// The time of the last line of the log.
  private func lastSeconds() -> Double {
    struct Line: Decodable { let seconds: Double }
    return (try? JSONDecoder().decode(Line.self, from: Data(lastLine.utf8)))?.seconds ?? 0
  }

  private func sections(
    _ weights: ParameterStore<Float>, _ best: ParameterStore<Float>,
    _ first: ParameterStore<Float>, _ second: ParameterStore<Float>
  ) -> [TrainingState.Section] {
    [
      .init("weights", weights), .init("best", best), .init("first_moment", first),
      .init("second_moment", second),
    ]
  }

  /// Adds a record to the log; it reaches the disk with the next checkpoint.
  public func append(_ record: TrainingRecord) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    lines.append(String(decoding: try encoder.encode(record), as: UTF8.self))
  }

  /// The lines of the log, those of a resumed run's earlier sessions first.
  public var log: [String] { lines }

  /// The line last added to the log.
  public var lastLine: String { lines.last ?? "" }

  /// Writes one generation: the model (where it changed), the log, the report, the state.
  ///
  /// - Throws: `CheckpointError` when the disk fails; then the last generation is intact.
  public func save(
    _ snapshot: Pretrainer.Snapshot, model: PretrainedModel, card: () -> String,
    report: (() -> String)? = nil
  ) throws {
    let isNew =
      !hasExported || snapshot.progress.bestValidationLoss == nil
      || snapshot.progress.bestValidationLoss != exported
    if isNew {
      try model.write(
        to: url, product: .maskedLanguageModel, weights: snapshot.best, modelCard: card())
      if !hasExported, !isResumed { try removeOlderState() }
      (exported, hasExported) = (snapshot.progress.bestValidationLoss, true)
    }
    let log = try PendingFile(logURL)
    try log.append(lines.map { $0 + "\n" }.joined())
    try log.commit()
    try EventFile.save(EventFile.events(log: lines), start: start, in: url)
    if let report {
      let page = try PendingFile(url.appendingPathComponent("report.html"))
      try page.append(report())
      try page.commit()
    }
    try TrainingState.write(
      snapshot.progress,
      sections: sections(snapshot.weights, snapshot.best, snapshot.first, snapshot.second),
      to: stateURL)
  }

  /// The state of another run must not meet this run's log.
  private func removeOlderState() throws {
    guard unlink(stateURL.path) != 0, errno != ENOENT else { return }
    throw CheckpointError(
      "can't be removed (\(String(cString: strerror(errno))))", path: stateURL.path,
      advice: "check that the folder can be written")
  }
}
