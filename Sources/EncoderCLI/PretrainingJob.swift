import Checkpoints
import Datasets
import EncoderModel
import Foundation
import Kernels
import Tokenization
import Training

/// What `encoder pretrain` does: tokenizer, corpus, model, trainer, and the directory they end in.
struct PretrainingJob {
  let command: PretrainCommand
  let files: [String]
  let directory: PretrainingDirectory
  let display: ProgressDisplay

  /// Returns whether the budget was used up.
  func run(stop: StopSignals) throws -> Bool {
    let saved = command.shared.resume ? try directory.readProgress() : nil
    let options = saved?.options ?? newOptions()
    var model = try loadedModel()
    let tokenizer = try model?.tokenizer ?? tokenizer(threads: options.threads, stop)
    let corpus = try readCorpus(tokenizer, options, stop)
    describe(corpus)
    if model == nil { model = try newModel(tokenizer, options) }
    guard let model else { return true }
    let trainer = try Pretrainer(
      model: model, corpus: corpus, options: options,
      budget: command.length.budget ?? saved?.budget ?? .minutes(20))
    if command.shared.resume {
      try directory.resume(trainer)
      display.line("resuming at step \(saved?.step ?? 0)")
    }
    let report = PretrainingReport(
      name: command.corpusName, source: command.corpus.joined(separator: ", "), corpus: corpus,
      model: model)
    let start = ContinuousClock.now
    let finished = try trainer.run(
      saveEvery: command.shared.saveEvery,
      onEvent: { event in
        try show(event)
        return stop.exitCode == nil ? .proceed : .stop
      },
      save: { snapshot in
        try directory.save(
          snapshot, model: model, card: { card(snapshot, corpus, model) },
          report: { report.page(snapshot, log: directory.log).html })
        if command.output == nil { try writeVocabulary(tokenizer) }
      })
    // A run that was killed between its last checkpoint and the vocabulary has nothing left to do but this.
    if command.shared.resume, command.output == nil { try writeVocabulary(tokenizer) }
    display.close()
    let minutes = Double((ContinuousClock.now - start).components.seconds) / 60
    display.line(
      String(format: "wrote %@ after %.1f minutes", directory.url.path, minutes))
    return finished
  }

  private func newOptions() -> PretrainingOptions {
    var options = PretrainingOptions()
    options.batchTokens = command.tokensPerStep
    options.maskRate = command.maskRate
    options.wholeWord = command.wholeWord
    options.bagOfWordsWeight =
      command.objectives.contains("bow") ? command.bowWeight : 0
    if command.objectives.contains("crops") { options.cropWeight = command.cropWeight }
    options.seed = command.shared.seed
    options.threads = command.shared.threadCount
    options.maximumLength = command.maxLength
    options.dropout = command.dropout
    options.learningRate = command.learningRate ?? defaultLearningRate
    return options
  }

  /// Wider models need smaller steps; a model that has already learnt needs smaller ones still.
  private var defaultLearningRate: Double {
    let rate =
      switch command.preset {
      case .tiny: 1e-3
      case .mini: 7e-4
      case .small: 5e-4
      case .base: 1e-4
      }
    return command.from == nil ? rate : 1e-4
  }

  /// The model to continue from: that of a resumed run, or --from.
  private func loadedModel() throws -> PretrainedModel? {
    if command.shared.resume {
      return try PretrainedModel.load(from: directory.url, heads: .trainable)
    }
    guard let from = command.from else { return nil }
    let model = try PretrainedModel.load(
      from: URL(fileURLWithPath: from), heads: .trainable, seed: command.shared.seed)
    if !model.newTensors.isEmpty {
      display.line("new heads: \(model.newTensors.joined(separator: ", "))")
    }
    return model
  }

  private func tokenizer(threads: Int, _ stop: StopSignals) throws -> Tokenizer {
    let options = TokenizerOptions(lowercase: !command.cased)
    if let path = command.vocab {
      return Tokenizer(
        vocabulary: try Vocabulary(contentsOf: URL(fileURLWithPath: path)), options: options)
    }
    let trainer = VocabularyTrainer(size: command.vocabSize, options: options)
    let result = try CorpusReading.trainVocabulary(
      trainer, files: files, options: command.reading.options, threads: threads, stop: stop)
    display.line("vocabulary: \(result.vocabulary.count) pieces")
    return Tokenizer(vocabulary: result.vocabulary, options: options)
  }

  private func readCorpus(
    _ tokenizer: Tokenizer, _ options: PretrainingOptions, _ stop: StopSignals
  ) throws -> TokenizedCorpus {
    var builder = try TokenizedCorpusBuilder(
      tokenizer: tokenizer, maximumLength: options.maximumLength, threads: options.threads)
    try CorpusReading.forEachBatch(files, options: command.reading.options) {
      try stop.check()
      try builder.append($0)
    }
    return try builder.finish(source: command.corpus.joined(separator: ", "))
  }

  private func newModel(
    _ tokenizer: Tokenizer, _ options: PretrainingOptions
  ) throws -> PretrainedModel {
    let configuration = command.preset.configuration(
      vocabularySize: tokenizer.vocabulary.count, dropout: command.dropout ?? 0,
      maximumPositions: max(512, options.maximumLength),
      paddingID: tokenizer.vocabulary.paddingID)
    return try PretrainedModel.create(
      configuration: configuration, tokenizer: tokenizer,
      sentence: SentenceSettings(maximumLength: max(256, options.maximumLength)),
      seed: options.seed)
  }

  private func describe(_ corpus: TokenizedCorpus) {
    let tokens = corpus.trainingTokenCount
    display.line(
      "corpus: \(corpus.textCount) texts, \(corpus.training.count) sequences, \(tokens) tokens for "
        + "training, \(corpus.validation.count) sequences held out")
  }

  private func writeVocabulary(_ tokenizer: Tokenizer) throws {
    let folder = URL(fileURLWithPath: "vocab")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try tokenizer.vocabulary.write(
      to: folder.appendingPathComponent("\(command.corpusName).txt"))
  }

  private func show(_ event: TrainingEvent) throws {
    guard case .step(let record, let fraction, let isLogged) = event else { return }
    if isLogged { try directory.append(record) }
    var text = String(
      format: "step %d loss %.3f lr %.1e %.0f tokens/s", record.step, record.loss,
      record.learningRate, record.tokensPerSecond)
    if let validation = record.validation {
      text += String(
        format: " | held out: loss %.3f (unigram %.3f), accuracy %.1f%%", validation.loss,
        validation.unigramEntropy, 100 * validation.accuracy)
    }
    display.update(
      fraction: fraction, text: text,
      isMilestone: isLogged && (record.validation != nil || record.step == 1 || fraction >= 1),
      object: { directory.lastLine })
  }
}
