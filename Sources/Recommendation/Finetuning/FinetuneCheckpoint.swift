import Checkpoints
import EncoderModel
public import Foundation
import Kernels
import Training

/// Where a fine-tuning run stands.
///
/// With the weights and moments beside it, it is one generation.
struct FinetuneState: Codable, Equatable {
  /// What is being trained.
  enum Stage: String, Codable {
    case towers, adapters, final

    /// Whether the stage's steps change a section of the checkpoint; the best weights change at the ends of
    /// epochs only.
    func changes(_ section: String) -> Bool {
      !section.hasSuffix("_best") && (self == .adapters || section.hasPrefix("towers"))
    }
  }

  /// Identifies data, encoder and options.
  var fingerprint: UInt64
  var stage = Stage.towers
  /// Epochs (or rounds) of the stage that are done.
  var epoch = 0
  /// Epochs without a better validation.
  var withoutGain = 0
  var bestEpochs = 0
  var frozenValidation: Double?
  var adapterValidation: Double?
  /// Whether the best adapters beat the frozen encoder.
  var keepsAdapters = false
  /// Steps that the samplers and the optimizers have counted.
  var towerSteps = 0
  var towerUpdates = 0
  var adapterSteps = 0
  var records: [FinetuneRecord] = []
  /// Seconds of training so far, where minutes limit it.
  var seconds: Double?

  /// What adapters must exceed to be kept.
  ///
  /// Their best round of several beats the frozen encoder by chance alone, and they cost every new text
  /// a pass: 2% is what such rounds differed by (a loss is negative, so the gain is taken by size).
  var adapterBar: Double {
    let frozen = frozenValidation.map { $0 + 0.02 * abs($0) } ?? -.infinity
    return max(frozen, adapterValidation ?? -.infinity)
  }
}

/// A run that was asked to end; ``FinetuneCheckpoint/isResumable`` says whether it can be resumed.
public struct FinetuneInterrupted: Error {}

/// Saves a fine-tuning run now and then, at the ends of epochs, and takes it up again.
///
/// What comes before training (vectors, collaborative models) is computed anew on resuming: it is
/// deterministic, and takes less time than its files would take space. Between two savings the end of the
/// last epoch is kept in memory: a run that is asked to end has changed the weights since, and half an
/// epoch can't be resumed.
public final class FinetuneCheckpoint {
  static let fileName = "finetune_state.safetensors"
  private let url: URL
  private let saveEvery: Int?
  private let resumes: Bool
  private var lastSave = ContinuousClock.now
  private var lastSteps = 0
  /// The end of the last epoch, where it isn't on the disk.
  private var unsaved: (state: FinetuneState, sections: [TrainingState.Section])?
  /// Whether the directory holds a state that this run wrote or was resumed from.
  public private(set) var isResumable: Bool

  /// Names the output directory of a run.
  ///
  /// `saveEvery` steps must lie between two saves, or a minute where it is nil; `resumes` continues
  /// from what is there.
  ///
  /// - Throws: `TrainingError` when there is nothing to resume.
  public init(_ directory: URL, saveEvery: Int?, resumes: Bool) throws {
    url = directory.appendingPathComponent(FinetuneCheckpoint.fileName)
    self.saveEvery = saveEvery
    self.resumes = resumes
    isResumable = resumes
    guard !resumes || FileManager.default.fileExists(atPath: url.path) else {
      throw TrainingError(
        "there is no unfinished run to resume: \(directory.path); "
          + (RecommenderDirectory.isRecommender(directory)
            ? "the run there is complete" : "leave out --resume, or name the run's --output"))
    }
  }

  /// The saved state with its stores filled, when the run is to be resumed.
  func load(_ sections: [TrainingState.Section], fingerprint: UInt64) throws -> FinetuneState? {
    guard resumes else { return nil }
    let saved = try TrainingState.readProgress(FinetuneState.self, from: url)
    guard saved.fingerprint == fingerprint else {
      throw TrainingError(
        "the unfinished run had other data, another encoder or other options: \(url.path); "
          + "give the same ones, or leave out --resume")
    }
    return try TrainingState.read(FinetuneState.self, sections: sections, from: url)
  }

  /// Takes the state at the end of an epoch, and writes it when enough has happened since the last writing,
  /// or at once.
  ///
  /// - Throws: `CheckpointError` when the disk fails.
  func save(
    _ state: FinetuneState, _ sections: [TrainingState.Section], atOnce: Bool = false
  ) throws {
    // The final stage counts its steps anew.
    if state.towerUpdates < lastSteps { lastSteps = 0 }
    let isDue =
      saveEvery.map { state.towerUpdates - lastSteps >= $0 }
      ?? (ContinuousClock.now - lastSave > .seconds(60))
    // The older copies go before there are new ones.
    unsaved = nil
    if isDue || atOnce { return try write(state, sections) }
    let copies = sections.map { section in
      state.stage.changes(section.name)
        ? TrainingState.Section(section.name, section.store.copied()) : section
    }
    unsaved = (state, copies)
  }

  /// Writes the end of the last epoch, unless that is done or no epoch has ended yet.
  ///
  /// - Throws: `CheckpointError` when the disk fails.
  func saveLast() throws {
    guard let last = unsaved else { return }
    try write(last.state, last.sections)
    unsaved = nil
  }

  private func write(_ state: FinetuneState, _ sections: [TrainingState.Section]) throws {
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try TrainingState.write(state, sections: sections, to: url)
    (lastSave, lastSteps) = (ContinuousClock.now, state.towerUpdates)
    isResumable = true
  }
}
