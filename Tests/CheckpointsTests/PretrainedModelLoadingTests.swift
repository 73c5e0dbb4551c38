import Checkpoints
import EncoderModel
import Foundation
import Kernels
import TestSupport
import Testing
import Tokenization

@Suite("Loading model directories")
struct PretrainedModelLoadingTests {
  private func check(
    _ directory: URL, _ golden: Goldens.Model, texts: [String], prompt: String = "",
    vectors: [Float]? = nil
  ) throws {
    let model = try PretrainedModel.load(from: directory)
    let limit = model.sentence.maximumLength
    if prompt.isEmpty {
      let ids = texts.map { model.tokenizer.encode($0, maximumLength: limit) }
      #expect(ids == golden.ids)
    }
    let ids = texts.map { model.tokenizer.encode(prompt + $0, maximumLength: limit) }
    let embedder = TextEmbedder(
      encoder: model.encoder, weights: model.weights, pooling: model.sentence.pooling,
      normalize: model.sentence.normalize, workers: Workers(count: 1))
    expectClose(embedder.embed(ids), vectors ?? golden.vectors, absolute: 3e-6)
  }

  @Test("BertForMaskedLM as transformers writes it: prefix, tanh GELU, mean without normalising")
  func maskedLanguageModel() throws {
    let goldens = try Goldens.load()
    try check(Goldens.directory("mlm"), goldens.mlm, texts: goldens.texts)
    let model = try PretrainedModel.load(from: Goldens.directory("mlm"))
    #expect(
      model.sentence == SentenceSettings(pooling: .mean, normalize: false, maximumLength: 48))
  }

  @Test("version 6's layout: cls pooling, prompts, no Normalize, length from the tokenizer")
  func version6() throws {
    let goldens = try Goldens.load()
    let model = try PretrainedModel.load(from: Goldens.directory("st6"))
    #expect(model.sentence.pooling == .cls)
    #expect(!model.sentence.normalize)
    #expect(model.sentence.maximumLength == 12)
    #expect(model.sentence.defaultPromptName == "document")
    #expect(model.sentence.prompt(named: "query") == "query : ")
    try check(
      Goldens.directory("st6"), goldens.st6, texts: goldens.texts, prompt: "document : ")
    try check(
      Goldens.directory("st6"), goldens.st6, texts: goldens.texts, prompt: "query : ",
      vectors: goldens.st6.queryVectors)
  }

  @Test("the old layout: shards, half precision, gamma and beta, vocab.txt, cased, max pooling")
  func legacy() throws {
    let goldens = try Goldens.load()
    try check(Goldens.directory("legacy"), goldens.legacy, texts: goldens.texts)
    let model = try PretrainedModel.load(from: Goldens.directory("legacy"))
    #expect(
      model.sentence == SentenceSettings(pooling: .max, normalize: true, maximumLength: 10))
    #expect(!model.tokenizer.options.lowercase)
  }

  @Test("hidden states and masked-token logits are those of transformers")
  func logits() throws {
    let golden = try Goldens.load().mlm
    let model = try PretrainedModel.load(from: Goldens.directory("mlm"), heads: .maskedTokens)
    #expect(model.newTensors == [])
    let head = try #require(model.maskedTokenHead)
    let ids = model.tokenizer.encode("the [MASK] book of [MASK]")
    #expect(ids == golden.maskedIDs)
    let arena = Arena<Float>()
    let hidden = model.encoder.infer(PackedBatch([ids]), weights: model.weights, arena: arena)
    expectClose(
      Array(UnsafeBufferPointer(start: hidden, count: ids.count * 16)),
      try #require(golden.hidden), absolute: 3e-6, "hidden")
    let positions = try #require(golden.maskedPositions)
    let logits = head.logits(
      hidden: hidden, positions: positions, weights: model.weights, arena: arena)
    let count = positions.count * model.configuration.vocabularySize
    expectClose(
      Array(UnsafeBufferPointer(start: logits, count: count)), try #require(golden.logits),
      absolute: 3e-6, "logits")
  }

  @Test("heads that the directory lacks are drawn from the seed and listed")
  func freshHeads() throws {
    let url = Goldens.directory("mlm")
    let model = try PretrainedModel.load(from: url, heads: .trainable, seed: 1)
    #expect(
      model.newTensors == [
        "bag_of_words.dense.weight", "bag_of_words.dense.bias", "bag_of_words.decoder.bias",
      ])
    let again = try PretrainedModel.load(from: url, heads: .trainable, seed: 1)
    let other = try PretrainedModel.load(from: url, heads: .trainable, seed: 2)
    #expect(model.weights.values.elementsEqual(again.weights.values))
    #expect(!model.weights.values.elementsEqual(other.weights.values))
    let plain = try PretrainedModel.load(from: Goldens.directory("st6"), heads: .trainable)
    #expect(plain.newTensors.contains("cls.predictions.transform.dense.weight"))
    let norm = try #require(plain.weights.table["cls.predictions.transform.LayerNorm.weight"])
    let ones = UnsafeBufferPointer(start: plain.weights[norm], count: norm.count)
    #expect(ones.allSatisfy { $0 == 1 })
  }
}
