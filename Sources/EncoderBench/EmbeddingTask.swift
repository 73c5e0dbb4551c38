import Checkpoints
import EncoderModel
import Foundation
import Kernels

/// Texts to vectors with a model's own settings: tokenizing, encoder, pooling, normalisation.
struct EmbeddingTask: BenchTask {
  private let model: PretrainedModel
  private let embedder: TextEmbedder
  private let texts: [String]
  private let threads: Int

  init(_ request: BenchRequest) throws {
    threads = request.threads ?? 2
    model = try PretrainedModel.load(from: URL(fileURLWithPath: request.model ?? ""))
    texts = try request.lines()
    embedder = TextEmbedder(
      encoder: model.encoder, weights: model.weights, pooling: model.sentence.pooling,
      normalize: model.sentence.normalize, workers: Workers(count: threads))
  }

  func measure() throws -> BenchAnswer {
    var sequences: [[Int32]] = []
    var check = 0.0
    let seconds = Stopwatch.seconds {
      sequences = model.tokenizer.encodeBatch(
        texts, maximumLength: model.sentence.maximumLength, threads: threads)
      check = embedder.embed(sequences).reduce(0) { $0 + abs(Double($1)) }
    }
    // Equal texts are computed once; only what is computed counts.
    let computed = Set(sequences)
    return BenchAnswer(
      seconds: seconds, work: Double(texts.count),
      flops: computed.reduce(0) { $0 + model.configuration.forwardFlops(tokens: $1.count) },
      check: check)
  }
}

/// One short text at a time through a loaded model.
struct SingleTextTask: BenchTask {
  private let model: PretrainedModel
  private let embedder: TextEmbedder
  private let texts: [String]

  init(_ request: BenchRequest) throws {
    model = try PretrainedModel.load(from: URL(fileURLWithPath: request.model ?? ""))
    texts = try request.lines()
    embedder = TextEmbedder(
      encoder: model.encoder, weights: model.weights, pooling: model.sentence.pooling,
      normalize: model.sentence.normalize, workers: Workers(count: request.threads),
      favorsLatency: true)
  }

  func measure() throws -> BenchAnswer {
    var check = 0.0
    let seconds = Stopwatch.seconds {
      for text in texts {
        let ids = model.tokenizer.encode(text, maximumLength: model.sentence.maximumLength)
        check += embedder.embed([ids]).reduce(0) { $0 + abs(Double($1)) }
      }
    }
    return BenchAnswer(seconds: seconds, work: Double(texts.count), check: check)
  }
}

extension EncoderConfiguration {
  /// Floating-point operations of the matrix products of one sequence's forward pass.
  func forwardFlops(tokens: Int) -> Double {
    let (h, i, n) = (Double(hiddenSize), Double(intermediateSize), Double(tokens))
    return Double(layerCount) * n * (2 * (4 * h * h + 2 * h * i) + 4 * n * h)
  }
}
