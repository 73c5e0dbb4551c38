import Checkpoints
import EncoderModel
import Kernels
import Recommendation
import TestSupport
import Testing

/// Vectors through an adapter from the cached states of the layers below it.
@Suite struct AdapterCachingTests {
  @Test(
    "From cached states as from the tokens, for every kind that leaves the embeddings alone",
    arguments: AdapterKind.allCases.filter { $0 != .none }, [1, 2])
  func vectors(_ kind: AdapterKind, _ layers: Int) throws {
    BLAS.useSingleThread()
    let model = try Checkerboard.encoder()
    let workers = Workers(count: 2)
    var generator = SeededNumbers(state: 5)
    let stack = try #require(
      AdapterStack(
        AdapterRecipe(kind: kind, layers: layers, bottleneck: 4, rank: 2),
        encoder: model.encoder, base: model.weights, using: &generator))
    for i in 0..<stack.weights.count {
      stack.weights.base[i] += Float.random(in: -0.2...0.2, using: &generator)
    }
    stack.refresh()
    let first = stack.firstLayer(of: model.encoder)
    #expect(first == (kind == .full ? 0 : 2 - layers))
    #expect(stack.changesEmbeddings == (kind == .full || (kind == .bitfit && layers == 2)))
    let sequences = model.tokenizer.encodeBatch(
      ["the sea1 sea2 item", "hill3", "", "the new item", "hill3", "sea1 sea2 sea3 sea4 sea5"],
      maximumLength: 16, threads: 1)
    let vocabulary = model.tokenizer.vocabulary
    let pooling = TokenPooling(
      sequences: sequences, vocabularySize: vocabulary.count,
      isSpecial: { vocabulary.isSpecial($0) })
    func encoder(_ stack: AdapterStack<Float>?) -> ItemTextEncoder {
      ItemTextEncoder(
        encoder: model.encoder, weights: model.weights, adapters: stack, pooling: pooling)
    }
    let direct = encoder(stack).vectors(sequences, workers: workers)
    let plain = encoder(nil).vectors(sequences, workers: workers)
    #expect(zip(direct.values, plain.values).contains { abs($0 - $1) > 1e-2 })
    guard !stack.changesEmbeddings else { return }
    let cache = try HiddenStateCache(
      sequences, encoder: model.encoder, weights: model.weights, layers: first, workers: workers)
    let cached = encoder(stack).vectors(
      sequences, cache: cache, firstLayer: first, workers: workers)
    // The cache holds half precision, 11 bits.
    expectClose(cached.values, direct.values, absolute: 3e-3)
  }

  /// SplitMix64 as a generator.
  private struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }
}
