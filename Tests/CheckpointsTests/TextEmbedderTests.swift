import Checkpoints
import EncoderModel
import Foundation
import Kernels
import TestSupport
import Testing

@Suite("Embedding many texts")
struct TextEmbedderTests {
  private let model: PretrainedModel

  init() throws { model = try PretrainedModel.load(from: Goldens.directory("mlm")) }

  private func embedder(
    threads: Int = 1, tokens: Int = 2048, pooling: PoolingModes = .mean, normalize: Bool = true
  ) -> TextEmbedder {
    TextEmbedder(
      encoder: model.encoder, weights: model.weights, pooling: pooling,
      normalize: normalize,
      workers: Workers(count: threads), batchTokens: tokens)
  }

  /// Sequences of all lengths, some of them equal.
  private var sequences: [[Int32]] {
    (0..<60).map { i -> [Int32] in
      let words = (0..<(i * 7 % 40)).map { j in Int32(5 + (j * (i % 9 + 1)) % 50) }
      return [2] + words + [3]
    }
  }

  @Test("a short text in a hurry: the same vector up to rounding")
  func latency() {
    let hurried = TextEmbedder(
      encoder: model.encoder, weights: model.weights, workers: Workers(count: 2),
      favorsLatency: true)
    for sequence in sequences {
      let (exact, fast) = (embedder().embed([sequence]), hurried.embed([sequence]))
      for (a, b) in zip(exact, fast) { #expect(abs(a - b) < 1e-6) }
    }
    // Many texts take the usual way, to the bit.
    let many = sequences + sequences.map { $0 + [7] }
    #expect(hurried.embed(many) == embedder(threads: 2).embed(many))
  }

  @Test("however many threads hurry, the same vector to the bit")
  func teams() {
    // Wide enough for a team to share its products.
    var table = ParameterTable()
    let encoder = TextEncoder(
      EncoderConfiguration(
        vocabularySize: 60, hiddenSize: 96, layerCount: 2, headCount: 4, intermediateSize: 200,
        maximumPositions: 64), in: &table)
    let weights = ParameterStore<Float>(table)
    for i in weights.values.indices { weights.values[i] = Float(sin(Double(i) * 12.9898)) * 0.3 }
    let alone = TextEmbedder(
      encoder: encoder, weights: weights, workers: Workers(count: 1), favorsLatency: true)
    for threads in [2, 3, 5] {
      let team = TextEmbedder(
        encoder: encoder, weights: weights, workers: Workers(count: threads), favorsLatency: true)
      for sequence in sequences {
        #expect(team.embed([sequence]) == alone.embed([sequence]))
      }
    }
  }

  @Test("the thread count changes no bit", arguments: [2, 3, 8])
  func threads(count: Int) {
    let sequences = sequences
    for tokens in [64, 2048] {
      let one = embedder(tokens: tokens).embed(sequences)
      #expect(embedder(threads: count, tokens: tokens).embed(sequences) == one)
    }
  }

  @Test("alone, in a batch and in any order: the same vectors")
  func composition() {
    let sequences = sequences
    let all = embedder().embed(sequences)
    let alone = sequences.flatMap { embedder().embed([$0]) }
    expectClose(alone, all, absolute: 5e-7)
    let reversed = embedder(tokens: 100).embed(sequences.reversed())
    let rows = stride(from: 0, to: all.count, by: 16).map { Array(all[$0..<$0 + 16]) }
    expectClose(reversed, Array(rows.reversed().joined()), absolute: 5e-7)
  }

  @Test("equal texts have equal bytes, and a long one after short ones is right")
  func equalTexts() {
    let text: [Int32] = [2, 9, 12, 3]
    let long = [2] + [Int32](repeating: 7, count: 60) + [3]
    let result = embedder().embed([text, long, text, [2, 3], text])
    #expect(result[0..<16] == result[32..<48])
    #expect(result[0..<16] == result[64..<80])
    expectClose(Array(result[16..<32]), embedder().embed([long]), absolute: 5e-7)
  }

  @Test("vectors have length 1 only where that is asked for")
  func normalization() {
    for pooling in [PoolingModes.mean, .cls, .max] {
      let raw = embedder(pooling: pooling, normalize: false).embed([[2, 9, 12, 3]])
      let unit = embedder(pooling: pooling).embed([[2, 9, 12, 3]])
      let norm = raw.reduce(0) { $0 + $1 * $1 }.squareRoot()
      #expect(abs(norm - 1) > 0.01)
      expectClose(unit, raw.map { $0 / norm }, absolute: 3e-7)
    }
  }

  @Test("no texts give no vectors, a text without tokens gives zeros")
  func empty() {
    #expect(embedder().embed([]) == [])
    #expect(embedder().embed([[]]) == [Float](repeating: 0, count: 16))
    let mixed = embedder().embed([[], [2, 3]])
    #expect(mixed[..<16].allSatisfy { $0 == 0 } && mixed[16...].contains { $0 != 0 })
  }

  @Test("several modes stand one after the other, each as it is alone")
  func concatenation() {
    let modes: [Pooling] = [.lastToken, .mean, .weightedMean]
    let texts: [[Int32]] = [[2, 9, 12, 3], [2, 7, 3]]
    let whole = embedder(pooling: PoolingModes(modes), normalize: false).embed(texts)
    for (index, mode) in modes.enumerated() {
      let part = embedder(pooling: PoolingModes([mode]), normalize: false).embed(texts)
      for row in 0..<2 {
        let start = row * 48 + index * 16
        #expect(Array(whole[start..<start + 16]) == Array(part[row * 16..<row * 16 + 16]))
      }
    }
  }

  @Test("dense layers apply to the pooled vectors, alone and in a batch with the same bits")
  func projections() {
    let weight = (0..<48).map { Float($0 % 7) / 8 - 0.3 }
    let layer = VectorProjection(
      inputs: 16, outputs: 3, weight: weight, bias: [0.5, -1, 0.25], activation: .tanh)
    let embedder = TextEmbedder(
      encoder: model.encoder, weights: model.weights, projections: [layer], normalize: false,
      workers: Workers(count: 1))
    #expect(embedder.width == 3)
    let texts = sequences
    let vectors = embedder.embed(texts)
    let pooled = self.embedder(normalize: false).embed(texts)
    let expected = texts.indices.flatMap { row in
      (0..<3).map { output in
        var sum: Float = [0.5, -1, 0.25][output]
        for d in 0..<16 { sum += weight[output * 16 + d] * pooled[row * 16 + d] }
        return Foundation.tanh(sum)
      }
    }
    expectClose(vectors, expected, absolute: 2e-6)
  }

  @Test("a prompt's tokens are left out of pooling, not of attention")
  func promptTokens() {
    let texts: [[Int32]] = [[2, 9, 12, 20, 3], [2, 9, 7, 3]]
    let first = embedder(pooling: .cls, normalize: false).embed(texts)
    let skipped = embedder(pooling: .cls, normalize: false).embed(texts, promptTokens: 2)
    #expect(first != skipped)
    let last = embedder(pooling: PoolingModes([.lastToken]), normalize: false)
    #expect(last.embed(texts) == last.embed(texts, promptTokens: 2))
    // Of a text that is all prompt nothing is left.
    #expect(last.embed([[2, 3]], promptTokens: 2).allSatisfy { $0 == 0 })
  }
}
