import Checkpoints
import EncoderModel
import Foundation
import Testing
import Training

/// One pretraining run of a small model into a directory, and what it leaves there.
struct TrainingRun {
  var corpus: TokenizedCorpus
  var options = TrainingRun.smallOptions
  var budget = TrainingBudget.steps(14)
  var directory: URL
  var saveEvery: Int? = 5
  var dropout = 0.1

  /// Small batches and a large rate: a few dozen steps are enough to learn.
  static var smallOptions: PretrainingOptions {
    var options = PretrainingOptions()
    options.batchTokens = 160
    options.learningRate = 1e-2
    options.bagOfWordsWeight = 0.5
    options.maximumLength = 16
    options.validationCount = 4
    options.logCount = 7
    return options
  }

  /// Runs from the start or from the directory's state, and stops after step `stopAt`.
  ///
  /// Returns whether the budget was used up.
  @discardableResult
  func run(resuming: Bool = false, stopAt: Int? = nil) throws -> Bool {
    let output = PretrainingDirectory(directory)
    let options = resuming ? try output.readProgress().options : options
    let model =
      try resuming
      ? PretrainedModel.load(from: directory, heads: .trainable)
      : SmallCorpus.model(corpus.tokenizer, dropout: dropout)
    let trainer = try Pretrainer(model: model, corpus: corpus, options: options, budget: budget)
    if resuming { try output.resume(trainer) }
    return try trainer.run(
      saveEvery: saveEvery,
      onEvent: { event in
        guard case .step(let record, _, let isLogged) = event else { return .proceed }
        if isLogged { try output.append(record) }
        return record.step == stopAt ? .stop : .proceed
      },
      save: { snapshot in
        try output.save(snapshot, model: model) {
          "step \(snapshot.exported.step), \(snapshot.exported.tokens) tokens\n"
        }
      })
  }

  /// The records of the log without what the clock decides.
  func log() throws -> [[String: Double]] {
    let text = try String(
      contentsOf: directory.appendingPathComponent("training.jsonl"), encoding: .utf8)
    return try text.split(separator: "\n").map { line in
      var record = try JSONDecoder().decode([String: Double].self, from: Data(line.utf8))
      record["seconds"] = nil
      record["tokens_per_second"] = nil
      return record
    }
  }

  /// Every file by its path, without those in which the clock has a part.
  func files() throws -> [String: Data] {
    let manager = FileManager.default
    var files: [String: Data] = [:]
    for name in try manager.subpathsOfDirectory(atPath: directory.path) {
      let path = directory.appendingPathComponent(name).path
      var isFolder: ObjCBool = false
      _ = manager.fileExists(atPath: path, isDirectory: &isFolder)
      guard !isFolder.boolValue, !["training.jsonl", EventFile.name].contains(name) else {
        continue
      }
      files[name] = manager.contents(atPath: path)
    }
    return files
  }
}

/// Expects two runs to have left the same bytes, names of files included, and the same records.
func expectSame(
  _ a: TrainingRun, _ b: TrainingRun, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let (first, second) = (try a.files(), try b.files())
  #expect(first.keys.sorted() == second.keys.sorted(), sourceLocation: sourceLocation)
  for name in first.keys.sorted() {
    #expect(first[name] == second[name], "\(name) differs", sourceLocation: sourceLocation)
  }
  #expect(first["training_state.safetensors"] != nil, sourceLocation: sourceLocation)
  #expect(try a.log() == b.log(), sourceLocation: sourceLocation)
}
