import Checkpoints
import EncoderModel
import Tokenization
import Training

/// Whole masked-language-modelling steps on random tokens: batch, mask, forward, backward, AdamW.
///
/// Floating-point operations a token and forward pass: `2 * L * (4 H^2 + 2 H I)` for the layers'
/// products and `4 * L * n * H` for attention over n tokens; a masked token's head costs
/// `2 * (H^2 + H V)`. Backward costs twice the forward pass.
struct PretrainingTask: BenchTask {
  private let trainer: BenchTrainer
  private let configuration: EncoderConfiguration
  private let tokens: Int
  private let length: Int
  private static let steps = 4

  init(_ request: BenchRequest) throws {
    let vocabulary = request.vocabulary ?? 8192
    let batch = request.batch ?? 32
    length = request.length ?? 128
    configuration = EncoderConfiguration(
      vocabularySize: vocabulary, hiddenSize: request.hidden ?? 256,
      layerCount: request.layers ?? 4, headCount: request.heads ?? 4,
      intermediateSize: request.feedForward ?? 1024)
    tokens = batch * length
    trainer = try BenchTrainer(
      configuration: configuration, batch: batch, length: length, threads: request.threads ?? 2)
  }

  func measure() throws -> BenchAnswer {
    let seconds = try trainer.seconds(steps: PretrainingTask.steps)
    let c = configuration
    let (h, i) = (Double(c.hiddenSize), Double(c.intermediateSize))
    let layer = 2 * (4 * h * h + 2 * h * i) + 4 * Double(length) * h
    let head = 0.15 * 2 * (h * h + h * Double(c.vocabularySize))
    let work = Double(tokens * PretrainingTask.steps)
    return BenchAnswer(
      seconds: seconds, work: work, flops: 3 * work * (Double(c.layerCount) * layer + head))
  }
}

/// A pretrainer over a corpus of random tokens, all sequences of one length.
final class BenchTrainer {
  private let model: PretrainedModel
  private let corpus: TokenizedCorpus
  private var options = PretrainingOptions()

  init(configuration: EncoderConfiguration, batch: Int, length: Int, threads: Int) throws {
    let special = SpecialTokens().all
    let words = (special.count..<configuration.vocabularySize).map { "w\($0)" }
    let tokenizer = Tokenizer(vocabulary: try Vocabulary(tokens: special + words))
    model = try PretrainedModel.create(
      configuration: configuration, tokenizer: tokenizer, seed: 1)
    var builder = try TokenizedCorpusBuilder(
      tokenizer: tokenizer, maximumLength: length, threads: threads)
    var state: UInt64 = 1
    let texts = (0..<(8 * batch)).map { _ in
      (0..<(length - 2)).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return words[Int((state >> 33) % UInt64(words.count))]
      }.joined(separator: " ")
    }
    try builder.append(texts)
    corpus = try builder.finish(source: "random tokens")
    options.batchTokens = batch * length
    options.maximumLength = length
    options.threads = threads
    options.dropout = 0
    options.validationCount = 0
    options.learningRate = 1e-4
  }

  /// Wall-clock time of `steps` steps after two others that touch all memory first.
  func seconds(steps: Int) throws -> Double {
    let warm = 2
    // The last step validates too; it is not counted.
    let trainer = try Pretrainer(
      model: model, corpus: corpus, options: options, budget: .steps(warm + steps + 1))
    var (start, seconds, seen) = (ContinuousClock.now, 0.0, 0)
    _ = try trainer.run(
      saveEvery: 1 << 40,
      onEvent: { event in
        guard case .step = event else { return .proceed }
        seen += 1
        if seen == warm { start = .now }
        if seen == warm + steps { seconds = Stopwatch.seconds(since: start) }
        return .proceed
      }, save: { _ in })
    return seconds
  }
}
