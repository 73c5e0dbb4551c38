import Checkpoints
import EncoderModel
import Foundation
import Testing
import Training

@Suite("Pretrainer")
struct PretrainerTests {
  private let folder: TemporaryFolder
  private let corpus: TokenizedCorpus

  init() throws {
    folder = try TemporaryFolder()
    corpus = try SmallCorpus.corpus(SmallCorpus.texts(150))
  }

  private func training(_ name: String) -> TrainingRun {
    TrainingRun(corpus: corpus, directory: folder.folder(name))
  }

  @Test("the loss falls well below what piece frequencies give, on held-out texts too")
  func learns() throws {
    var run = training("learns")
    run.budget = .epochs(25)
    run.dropout = 0
    #expect(try run.run())
    let log = try run.log()
    #expect(log.allSatisfy { $0["crop_loss"] == nil })
    let (first, last) = (try #require(log.first), try #require(log.last))
    #expect(last["loss", default: 9] < 0.7 * first["loss", default: 0])
    #expect(last["bag_of_words_loss", default: 9] < 0.8 * first["bag_of_words_loss", default: 0])
    let unigram = try #require(last["unigram_entropy"])
    #expect(last["validation_loss", default: 9] < 0.7 * unigram)
    #expect(
      last["validation_accuracy", default: 0] > last["majority_accuracy", default: 1] + 0.2)
    #expect(last["epoch"] == 25)
  }

  @Test("the log has the first step, the due ones and the last; its numbers add up")
  func log() throws {
    let run = training("log")
    try run.run()
    let log = try run.log()
    // 14 steps: records are due at sevenths of the run, validation at quarters: steps 4, 7, 11 and 14.
    #expect(log.map { $0["step"] } == [1, 2, 4, 6, 7, 8, 10, 11, 12, 14])
    #expect(log.filter { $0["validation_loss"] != nil }.map { $0["step"] } == [4, 7, 11, 14])
    for record in log {
      let sum = record["mlm_loss", default: .nan] + 0.5 * record["bag_of_words_loss", default: .nan]
      #expect(abs(record["loss", default: 0] - sum) < 1e-9)
    }
    // Warm-up ends within the first step (6% of 14 steps): peak, then down to the last step's rate.
    #expect(abs(log[0]["learning_rate", default: 0] - 1e-2) < 1e-9)
    let last = 1e-2 * (1.0 / 14) / 0.94
    #expect(abs(log[9]["learning_rate", default: 0] - last) < 1e-9)
  }

  @Test(
    "crops learn to find each other; their loss is in the log, and a resumed run has the same bytes"
  )
  func crops() throws {
    var (whole, parts) = (training("whole"), training("parts"))
    whole.corpus = try SmallCorpus.corpus(SmallCorpus.topics(200), maximumLength: 32)
    whole.options.maximumLength = 32
    whole.options.batchTokens = 640
    whole.options.cropWeight = 0.25
    whole.options.threads = 2
    whole.budget = .epochs(12)
    (parts.corpus, parts.options, parts.budget) = (whole.corpus, whole.options, whole.budget)
    try whole.run()
    #expect(try !parts.run(stopAt: 10))
    try parts.run(resuming: true)
    try expectSame(whole, parts)
    let log = try whole.log()
    for record in log {
      let sum =
        record["mlm_loss", default: .nan] + 0.5 * record["bag_of_words_loss", default: .nan]
        + 0.25 * record["crop_loss", default: .nan]
      #expect(abs(record["loss", default: 0] - sum) < 1e-9)
    }
    let (first, last) = (try #require(log.first), try #require(log.last))
    #expect(last["crop_loss", default: 9] < 0.7 * first["crop_loss", default: 0])
  }

  @Test("validation sees whole texts: crops don't change its loss")
  func wholeValidation() throws {
    let losses = try [nil, 0.25].map { weight in
      var run = training("weight \(weight ?? 0)")
      run.corpus = try SmallCorpus.corpus(SmallCorpus.topics(200), maximumLength: 32)
      run.options.maximumLength = 32
      run.options.cropWeight = weight
      // A rate of next to nothing leaves the weights as they are.
      run.options.learningRate = 1e-30
      try run.run()
      return try #require(try run.log().last?["validation_loss"])
    }
    #expect(losses[0] == losses[1])
  }

  @Test("one seed gives one run, byte for byte; another seed another", arguments: [1, 2])
  func deterministic(threads: Int) throws {
    var (first, second, other) = (training("a"), training("b"), training("c"))
    first.options.threads = threads
    second.options.threads = threads
    other.options.threads = threads
    other.options.seed = 43
    try first.run()
    try second.run()
    try other.run()
    try expectSame(first, second)
    #expect(try first.files()["model.safetensors"] != other.files()["model.safetensors"])
  }

  @Test(
    "stopping and resuming gives the bytes of an uninterrupted run",
    arguments: [TrainingBudget.steps(14), .epochs(2.2)], [1, 2])
  func resume(budget: TrainingBudget, threads: Int) throws {
    var whole = training("whole")
    whole.budget = budget
    whole.options.threads = threads
    #expect(try whole.run())
    var parts = training("parts")
    parts.budget = budget
    parts.options.threads = threads
    #expect(try !parts.run(stopAt: 1))
    #expect(try !parts.run(resuming: true, stopAt: 4))
    // A crash between two checkpoints: what was trained since the last one is lost and done again.
    parts.saveEvery = 3
    #expect(throws: CancellationError.self) { try crash(parts, at: 8) }
    #expect(try parts.run(resuming: true))
    try expectSame(whole, parts)
  }

  @Test("a resumed run still exports the best weights when they came before it")
  func resumeKeepsBest() throws {
    var (whole, parts) = (training("whole"), training("parts"))
    // A rate that grows to the end, and far too large, makes the held-out loss rise again.
    whole.options.learningRate = 1
    whole.options.warmup = 1
    whole.options.validationCount = 14
    parts.options = whole.options
    try whole.run()
    let progress = try PretrainingDirectory(whole.directory).readProgress()
    let best = try #require(progress.bestStep)
    try #require(best < 13)
    #expect(try !parts.run(stopAt: best + 1))
    #expect(try parts.run(resuming: true))
    try expectSame(whole, parts)
    let card = try #require(try parts.files()["README.md"])
    #expect(String(decoding: card, as: UTF8.self).hasPrefix("step \(best), "))
  }

  @Test("a state older than model and log, as a kill in a save leaves it, gives the same bytes too")
  func olderState() throws {
    let (whole, parts) = (training("whole"), training("parts"))
    try whole.run()
    try parts.run(stopAt: 4)
    let state = parts.directory.appendingPathComponent("training_state.safetensors")
    let older = try Data(contentsOf: state)
    try parts.run(resuming: true, stopAt: 9)
    try older.write(to: state)
    #expect(try parts.log().count > whole.log().prefix { $0["step", default: 99] <= 4 }.count)
    #expect(try parts.run(resuming: true))
    try expectSame(whole, parts)
  }

  /// Resumes, and fails in the midst of a run, as a full disk or a kill would make it.
  private func crash(_ run: TrainingRun, at step: Int) throws {
    let output = PretrainingDirectory(run.directory)
    let model = try PretrainedModel.load(from: run.directory, heads: .trainable)
    let trainer = try Pretrainer(
      model: model, corpus: corpus, options: try output.readProgress().options, budget: run.budget)
    try output.resume(trainer)
    _ = try trainer.run(
      saveEvery: 3,
      onEvent: { event in
        guard case .step(let record, _, let isLogged) = event else { return .proceed }
        if isLogged { try output.append(record) }
        if record.step == step { throw CancellationError() }
        return .proceed
      },
      save: { try output.save($0, model: model) { "card of a run that fails" } })
  }

  @Test("a finished run that is resumed does nothing; with a larger total it goes on")
  func finished() throws {
    var run = training("finished")
    run.budget = .steps(6)
    #expect(try run.run())
    let before = try run.files()
    #expect(try run.run(resuming: true))
    #expect(try run.files() == before)
    run.budget = .steps(9)
    #expect(try run.run(resuming: true))
    #expect(try run.log().last?["step"] == 9)
    let progress = try PretrainingDirectory(run.directory).readProgress()
    #expect(progress.step == 9 && progress.budget == .steps(9))
  }

  @Test("another corpus is refused, and the model stays as it was")
  func otherCorpus() throws {
    var run = training("other")
    try run.run(stopAt: 3)
    let before = try run.files()
    run.corpus = try SmallCorpus.corpus(SmallCorpus.texts(150).reversed())
    #expect {
      try run.run(resuming: true)
    } throws: { error in
      "\(error)".contains("--resume") && error is TrainingError
    }
    #expect(try run.files() == before)
  }

  @Test("a new run over an old one's directory leaves nothing of it")
  func overwrites() throws {
    var (old, fresh) = (training("old"), training("fresh"))
    old.options.seed = 9
    try old.run()
    old.options.seed = 42
    try old.run()
    try fresh.run()
    try expectSame(old, fresh)
  }

  @Test("a loss that isn't finite ends the run before anything of it is saved")
  func diverges() throws {
    var run = training("diverges")
    run.options.learningRate = 1e30
    #expect {
      try run.run()
    } throws: { error in
      "\(error)".contains("isn't finite") && "\(error)".contains("--learning-rate")
    }
    #expect(!FileManager.default.fileExists(atPath: run.directory.path))
  }

  @Test("without held-out texts the last weights are exported")
  func withoutValidation() throws {
    var run = training("small")
    run.corpus = try SmallCorpus.corpus(SmallCorpus.texts(10))
    run.budget = .steps(5)
    try run.run()
    let progress = try PretrainingDirectory(run.directory).readProgress()
    #expect(progress.bestValidationLoss == nil && progress.step == 5)
    let card = try #require(try run.files()["README.md"])
    #expect(String(decoding: card, as: UTF8.self).hasPrefix("step 5, "))
  }

  @Test("a model without the heads, or with too few positions, is refused")
  func refused() throws {
    let directory = folder.folder("heads")
    let model = try SmallCorpus.model(corpus.tokenizer)
    try model.write(to: directory, product: .maskedLanguageModel, modelCard: "")
    let bare = try PretrainedModel.load(from: directory)
    #expect {
      _ = try Pretrainer(
        model: bare, corpus: corpus, options: TrainingRun.smallOptions, budget: .steps(1))
    } throws: { "\($0)".contains("no masked-token head") }
    let masked = try PretrainedModel.load(from: directory, heads: .maskedTokens)
    #expect {
      _ = try Pretrainer(
        model: masked, corpus: corpus, options: TrainingRun.smallOptions, budget: .steps(1))
    } throws: { "\($0)".contains("no bag-of-words head") }
    var options = TrainingRun.smallOptions
    options.maximumLength = 33
    #expect {
      _ = try Pretrainer(model: model, corpus: corpus, options: options, budget: .steps(1))
    } throws: { "\($0)".contains("32 positions: --max-length") }
  }
}
