import Checkpoints
import EncoderModel
import Foundation
import Kernels
import TestSupport
import Testing
import Tokenization

@Suite("Writing model directories")
struct PretrainedModelWritingTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func model(vocabulary: [String] = ["a", "b", "##c"], seed: UInt64 = 3) throws
    -> PretrainedModel
  {
    let tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + vocabulary
    let tokenizer = Tokenizer(
      vocabulary: try Vocabulary(tokens: tokens), options: TokenizerOptions(lowercase: false))
    let configuration = EncoderConfiguration(
      vocabularySize: tokens.count, hiddenSize: 8, layerCount: 1, headCount: 2,
      intermediateSize: 12, activation: .relu, hiddenDropout: 0, attentionDropout: 0.25,
      maximumPositions: 20)
    let sentence = SentenceSettings(
      pooling: .max, normalize: true, maximumLength: 512,
      prompts: [.init(name: "z", text: "zed: "), .init(name: "a", text: "\"q\"\n")],
      defaultPromptName: "a")
    return try PretrainedModel.create(
      configuration: configuration, tokenizer: tokenizer, sentence: sentence, seed: seed)
  }

  private func json(_ url: URL, _ name: String) throws -> JSONValue {
    try JSONValue.parse([UInt8](Data(contentsOf: url.appendingPathComponent(name))))
  }

  @Test("what is written loads again: weights, heads, tokenizer, settings")
  func roundTrip() throws {
    let url = folder.file("deep/model")
    let model = try model()
    try model.write(
      to: url, product: .maskedLanguageModel, modelCard: "# Card\n",
      metadata: [("seed", "3")])
    let loaded = try PretrainedModel.load(from: url, heads: .trainable)
    #expect(loaded.newTensors == [])
    #expect(loaded.configuration == model.configuration)
    #expect(loaded.sentence == model.sentence)
    #expect(loaded.sentence.maximumLength == 20)
    #expect(loaded.tokenizer.vocabulary == model.tokenizer.vocabulary)
    #expect(loaded.tokenizer.options == model.tokenizer.options)
    #expect(loaded.weights.values.elementsEqual(model.weights.values))
    #expect(
      try folder.names().filter { !$0.hasSuffix("1_Pooling") } == [
        "deep", "deep/model", "deep/model/1_Pooling/config.json", "deep/model/README.md",
        "deep/model/bag_of_words.safetensors", "deep/model/config.json",
        "deep/model/config_sentence_transformers.json", "deep/model/encoder.json",
        "deep/model/model.safetensors", "deep/model/modules.json",
        "deep/model/sentence_bert_config.json", "deep/model/special_tokens_map.json",
        "deep/model/tokenizer.json", "deep/model/tokenizer_config.json", "deep/model/vocab.txt",
      ])
    let file = try SafeTensorsFile(url.appendingPathComponent("model.safetensors"))
    #expect(file.metadata.map(\.key) == ["format", "seed"])
    #expect(file.metadataValue("format") == "pt")
    #expect(
      file.tensors.allSatisfy { $0.name.hasPrefix("bert.") || $0.name.hasPrefix("cls.") })
    #expect(file["cls.predictions.decoder.weight"] == nil)
  }

  @Test("the encoder's product has no prefix and no head")
  func encoderProduct() throws {
    let url = folder.file("model")
    let model = try model()
    try model.write(to: url, product: .encoder, modelCard: "")
    let names = try SafeTensorsFile(url.appendingPathComponent("model.safetensors")).tensors
      .map(\.name)
    #expect(names.contains("embeddings.word_embeddings.weight"))
    #expect(!names.contains { $0.hasPrefix("bert.") || $0.hasPrefix("cls.") })
    #expect(try json(url, "config.json")["architectures"] == ["BertModel"])
    let loaded = try PretrainedModel.load(from: url, heads: .trainable)
    #expect(loaded.newTensors.count == 8)
    #expect(
      loaded.weights.values.prefix(100).elementsEqual(model.weights.values.prefix(100)))
  }

  @Test("the small files have the keys that readers look for")
  func smallFiles() throws {
    let url = folder.file("model")
    try model().write(to: url, product: .maskedLanguageModel, modelCard: "card")
    let configuration = try json(url, "config.json")
    #expect(configuration["model_type"] == "bert")
    #expect(configuration["attention_probs_dropout_prob"] == 0.25)
    #expect(configuration["layer_norm_eps"] == 1e-12)
    #expect(configuration["hidden_act"] == "relu")
    #expect(configuration["position_embedding_type"] == "absolute")
    let tokenizer = try json(url, "tokenizer_config.json")
    #expect(tokenizer["do_lower_case"] == false)
    #expect(tokenizer["model_max_length"] == 20)
    #expect(try json(url, "tokenizer.json")["normalizer"]?["lowercase"] == false)
    #expect(
      try json(url, "modules.json")[2]?["type"] == "sentence_transformers.models.Normalize")
    let pooling = try json(url, "1_Pooling/config.json")
    #expect(pooling["pooling_mode_max_tokens"] == true)
    #expect(pooling["pooling_mode_mean_tokens"] == false)
    #expect(pooling["embedding_dimension"] == nil)
    #expect(try json(url, "sentence_bert_config.json")["max_seq_length"] == 20)
    #expect(try json(url, "encoder.json") == ["format_version": 1, "kind": "pretrained"])
    let card = url.appendingPathComponent("README.md")
    #expect(try String(contentsOf: card, encoding: .utf8) == "card")
  }

  @Test("an older generation is replaced, other files of the folder stay, and no staging is left")
  func replaces() throws {
    let url = folder.file("model")
    try model(seed: 1).write(to: url, product: .maskedLanguageModel, modelCard: "")
    try "log".write(
      to: url.appendingPathComponent("training.jsonl"), atomically: true, encoding: .utf8)
    let second = try model(vocabulary: ["a", "b", "##c", "d"], seed: 2)
    try second.write(to: url, product: .maskedLanguageModel, modelCard: "")
    let loaded = try PretrainedModel.load(from: url, heads: .trainable)
    #expect(loaded.weights.values.elementsEqual(second.weights.values))
    let best = ParameterStore<Float>(second.weights.table)
    try second.write(
      to: url, product: .maskedLanguageModel, weights: best, modelCard: "")
    let third = try PretrainedModel.load(from: url, heads: .trainable)
    #expect(third.weights.values.allSatisfy { $0 == 0 })
    let names = try folder.names()
    #expect(names.contains("model/training.jsonl"))
    #expect(!names.contains { $0.contains(".tmp") })
  }

  @Test("a failure leaves the older generation as it was")
  func failure() throws {
    let url = folder.file("model")
    let model = try model()
    try model.write(to: url, product: .maskedLanguageModel, modelCard: "")
    let before = try Data(contentsOf: url.appendingPathComponent("model.safetensors"))
    let plain = try PretrainedModel.load(from: url)
    #expect(throws: CheckpointError.self) {
      try plain.write(to: url, product: .maskedLanguageModel, modelCard: "")
    }
    #expect(try Data(contentsOf: url.appendingPathComponent("model.safetensors")) == before)
    let file = try folder.write([1], "file")
    #expect(throws: CheckpointError.self) {
      try model.write(to: file, product: .encoder, modelCard: "")
    }
    #expect(throws: CheckpointError.self) {
      try model.write(
        to: file.appendingPathComponent("below"), product: .encoder, modelCard: "")
    }
  }

  @Test("a seed gives one model; sizes that don't fit are refused")
  func create() throws {
    let (first, again, other) = (try model(seed: 1), try model(seed: 1), try model(seed: 2))
    #expect(first.weights.values.elementsEqual(again.weights.values))
    #expect(!first.weights.values.elementsEqual(other.weights.values))
    var configuration = first.configuration
    configuration.vocabularySize = 3
    #expect(throws: CheckpointError.self) {
      try PretrainedModel.create(
        configuration: configuration, tokenizer: first.tokenizer, seed: 1)
    }
    configuration = first.configuration
    configuration.headCount = 3
    #expect(throws: CheckpointError.self) {
      try PretrainedModel.create(
        configuration: configuration, tokenizer: first.tokenizer, seed: 1)
    }
  }

  @Test("leftovers of a killed run are removed, and nothing else")
  func leftovers() throws {
    let url = folder.file("model")
    try model().write(to: url, product: .encoder, modelCard: "")
    let before = try folder.names()
    for name in ["model/state.safetensors.tmp", "model/1_Pooling/config.json.tmp"] {
      _ = try folder.write([1], name)
    }
    let manager = FileManager.default
    for staged in ["model.tmp", "model/.staging.tmp"] {
      try manager.createDirectory(at: folder.file(staged), withIntermediateDirectories: true)
      _ = try folder.write([1], "\(staged)/encoder.json")
    }
    PendingFile.removeLeftovers(in: url)
    #expect(try folder.names() == before)
    // A folder of that name that isn't ours stays: an empty one may be what a kill left.
    try manager.createDirectory(at: folder.file("model.tmp"), withIntermediateDirectories: true)
    _ = try folder.write([1], "model.tmp/notes.txt")
    PendingFile.removeLeftovers(in: url)
    #expect(manager.fileExists(atPath: folder.file("model.tmp/notes.txt").path))
  }
}
