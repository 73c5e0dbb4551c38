import Datasets
import EncoderModel
import Foundation
import Kernels
import Recommendation
import Testing

/// Fine-tuning that is asked to end in the midst of epochs, and resumed.
@Suite struct FinetuneResumingTests {
  private let board = Checkerboard()

  init() { BLAS.useSingleThread() }

  /// One session of a run; nil when it was stopped, which is after `steps` further questions whether to stop
  /// since a report that has `trigger` in it.
  private func session(
    _ kind: AdapterKind, _ checkpoint: FinetuneCheckpoint?, trigger: String? = nil, steps: Int = 0
  ) throws -> Recommender? {
    var options = Checkerboard.options(.softmax, kind)
    options.minutes = nil
    // Eight epochs of ten steps, and rounds of as many.
    options.towers.patience = 8
    options.towers.batch = 32
    options.towers.learningRate = 1e-3
    options.adapters.batch = 32
    var left: Int?
    let run = Finetuner(
      model: try Checkerboard.encoder(), options: options, checkpoint: checkpoint,
      report: { progress in
        let text: String
        switch progress {
        case .note(let words): text = words
        case .epoch(let record): text = "\(record.stage) \(record.epoch)"
        }
        if let trigger, text.contains(trigger) { left = steps }
      },
      shouldStop: {
        guard let count = left else { return false }
        left = count - 1
        return count <= 0
      })
    let input = FinetuneInput(
      items: board.items, behaviors: board.behaviors, users: nil, rule: PositiveRule(threshold: 1),
      report: DataReport())
    do {
      return try run.run(input)
    } catch is FinetuneInterrupted {
      return nil
    }
  }

  private func files(_ folder: URL) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path) {
      let url = folder.appendingPathComponent(path)
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder),
        !isFolder.boolValue
      else { continue }
      files[path] = try Data(contentsOf: url)
    }
    return files
  }

  /// The epochs without the clock's part.
  private func epochs(_ model: Recommender) -> [FinetuneRecord] {
    model.records.map { record in
      var copy = record
      copy.seconds = 0
      return copy
    }
  }

  @Test(
    "Stopped in the midst of epochs and resumed, a run writes the bytes of an undisturbed one",
    arguments: [AdapterKind.none, .bottleneck, .lora])
  func resumed(_ kind: AdapterKind) throws {
    let folder = try Checkerboard.Folder()
    let (whole, cut) = (
      folder.url.appendingPathComponent("whole"), folder.url.appendingPathComponent("cut")
    )
    let uncut = try session(kind, nil)
    let undisturbed = try #require(uncut)
    #expect(undisturbed.records.filter { $0.stage == "towers" }.count == 8)

    // No epoch has ended yet: there is nothing to save.
    let first = try FinetuneCheckpoint(cut, saveEvery: nil, resumes: false)
    let early = try session(kind, first, trigger: "collaborative models fitted", steps: 4)
    #expect(early == nil && !first.isResumable)
    #expect(!FileManager.default.fileExists(atPath: cut.path))

    // In the third and the sixth epoch, in the first round and the second, and in the last stage, in its first
    // epoch and its second.
    let stops = [
      ("towers 2", 4), ("towers 5", 4), ("towers: best", 4), ("adapters 1", 4),
      ("fitting all again", 4), ("fitting all again", 14),
    ]
    var resumes = false
    for (trigger, steps) in stops where kind != .none || trigger != "adapters 1" {
      let checkpoint = try FinetuneCheckpoint(cut, saveEvery: nil, resumes: resumes)
      let model = try session(kind, checkpoint, trigger: trigger, steps: steps)
      // Where one epoch was best, the last stage has no second one.
      #expect(model == nil || steps == 14 && undisturbed.metrics.towerEpochs == 1, "\(trigger)")
      #expect(checkpoint.isResumable)
      #expect(try files(cut).keys.sorted() == ["finetune_state.safetensors"])
      resumes = true
    }
    let last = try session(kind, FinetuneCheckpoint(cut, saveEvery: nil, resumes: true))
    let resumed = try #require(last)
    #expect(epochs(resumed) == epochs(undisturbed))
    try undisturbed.write(to: whole, modelCard: "A model.\n")
    try resumed.write(to: cut, modelCard: "A model.\n")
    let (expected, found) = (try files(whole), try files(cut))
    #expect(found.keys.sorted() == expected.keys.sorted())
    for (path, bytes) in expected {
      let isSame = found[path] == bytes
      #expect(isSame, "\(path)")
    }
  }

  @Test("A run that was never stopped has nothing to resume")
  func nothingToResume() throws {
    let folder = try Checkerboard.Folder()
    #expect(throws: (any Error).self) {
      try FinetuneCheckpoint(folder.url, saveEvery: nil, resumes: true)
    }
  }
}
