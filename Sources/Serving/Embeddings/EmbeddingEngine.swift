import Checkpoints
import EncoderModel
import Kernels
import Recommendation
import Tokenization

/// Which vectors of a text are asked for.
enum EmbeddingOutput: Hashable, Sendable {
  /// The encoder's pooled vector, not scaled; the first `skipping` tokens are left out of pooling.
  case encoder(skipping: Int = 0)
  /// The item tower's vector of a fine-tuned model, of unit length.
  case tower
  /// The last hidden state of each token, one after the other.
  case tokens

  /// Whether it is the encoder's pooled vector.
  var isPooled: Bool {
    if case .encoder = self { true } else { false }
  }
}

/// One version of a model, ready to turn token ids into vectors on several threads.
final class EmbeddingEngine: Sendable {
  let model: PretrainedModel
  let recommender: Recommender?
  /// Whether every text is a batch of its own.
  private let isExact: Bool
  private let embedders: [TextEmbedder]
  private let arenas: [Arena<Float>]
  let cache: EmbeddingCache

  init(
    model: PretrainedModel, recommender: Recommender?, threads: Int, batchTokens: Int,
    isExact: Bool, cacheSize: Int
  ) {
    self.isExact = isExact
    self.model = model
    self.recommender = recommender
    // One for each thread: a thread computes a batch alone, with an arena of its own.
    embedders = (0..<threads).map { _ in
      model.embedder(
        normalize: false, keepsAll: true, workers: Workers(count: 1),
        batchTokens: isExact ? 1 : batchTokens)
    }
    arenas = (0..<threads).map { _ in Arena<Float>() }
    cache = EmbeddingCache(capacity: cacheSize)
  }

  /// Values of a vector.
  func width(_ output: EmbeddingOutput) -> Int {
    switch output {
    case .encoder: min(embedders[0].width, model.sentence.keptValues ?? .max)
    case .tokens: model.configuration.hiddenSize
    case .tower: recommender?.models.network.configuration.width ?? 0
    }
  }

  /// The most tokens of a text.
  func maximumLength(_ output: EmbeddingOutput) -> Int {
    switch output {
    case .encoder, .tokens: model.sentence.maximumLength
    case .tower: recommender?.maximumLength ?? 0
    }
  }

  /// The vectors of sequences, in order; for `tokens` all of a sequence's in one.
  func run(_ output: EmbeddingOutput, _ sequences: [[Int32]], worker: Int) -> [[Float]] {
    let width = width(output)
    switch output {
    case .encoder(let promptTokens):
      return rows(
        embedders[worker].embed(sequences, promptTokens: promptTokens), embedders[worker].width)
    case .tower:
      guard let recommender else { return [] }
      let one = Workers(count: 1)
      let groups = isExact ? sequences.map { [$0] } : [sequences]
      return groups.flatMap { rows(recommender.towerVectors($0, workers: one).values, width) }
    case .tokens:
      return sequences.map { sequence in
        let arena = arenas[worker]
        arena.reset()
        let hidden = model.encoder.infer(
          PackedBatch([sequence]), weights: model.weights, arena: arena)
        return Array(UnsafeBufferPointer(start: hidden, count: sequence.count * width))
      }
    }
  }

  private func rows(_ values: [Float], _ width: Int) -> [[Float]] {
    guard width > 0 else { return [] }
    return stride(from: 0, to: values.count, by: width).map {
      Array(values[$0..<($0 + width)])
    }
  }

  /// Scales a vector to length 1; zeros stay.
  static func normalize(_ vector: inout [Float]) {
    var norm: Float = 0
    let count = vector.count
    vector.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      L2Normalize.forward(y: base, norm: &norm, x: base, rows: 1, width: count)
    }
  }
}
