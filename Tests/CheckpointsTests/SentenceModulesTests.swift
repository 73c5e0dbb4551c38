import Checkpoints
import EncoderModel
import Foundation
import Kernels
import TestSupport
import Testing
import Tokenization

@Suite("Sentence-transformers modules")
struct SentenceModulesTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func base() throws -> PretrainedModel {
    try PretrainedModel.load(from: Goldens.directory("st6"))
  }

  /// A model with the settings, written and read again.
  private func written(_ settings: SentenceSettings, to name: String = "model") throws -> URL {
    let base = try base()
    let model = try PretrainedModel.create(
      configuration: base.configuration, tokenizer: base.tokenizer, sentence: settings, seed: 1)
    let url = folder.file(name)
    try model.write(to: url, product: .encoder, modelCard: "")
    return url
  }

  private func json(_ url: URL, _ name: String) throws -> JSONValue {
    try JSONValue.parse([UInt8](Data(contentsOf: url.appendingPathComponent(name))))
  }

  @Test("pooling modes, dense layers and a prompt that is left out come back as they were")
  func roundTrip() throws {
    let settings = SentenceSettings(
      pooling: PoolingModes([.cls, .weightedMean]),
      projections: [
        VectorProjection(
          inputs: 32, outputs: 3, weight: (0..<96).map { Float($0) / 64 }, bias: [1, -2, 0.5],
          activation: .tanh),
        VectorProjection(
          inputs: 3, outputs: 2, weight: [1, 2, 3, 4, 5, 6], bias: nil, activation: .identity),
      ], normalize: true, maximumLength: 20, prompts: [.init(name: "q", text: "query : ")],
      includesPrompt: false)
    let url = try written(settings)
    #expect(try PretrainedModel.load(from: url).sentence == settings)
    let types = try #require(try json(url, "modules.json").arrayValue).map {
      $0["type"]?.stringValue
    }
    #expect(
      types
        == ["Transformer", "Pooling", "Dense", "Dense", "Normalize"].map {
          "sentence_transformers.models.\($0)"
        })
    #expect(
      try json(url, "3_Dense/config.json") == [
        "in_features": 3, "out_features": 2, "bias": false,
        "activation_function": "torch.nn.modules.linear.Identity",
      ])
  }

  @Test("switches hold the order of version 2; another order needs version 6's list")
  func poolingOrder() throws {
    let usual = try written(SentenceSettings(pooling: PoolingModes([.max, .lastToken])))
    let switches = try json(usual, "1_Pooling/config.json")
    #expect(
      switches["pooling_mode_max_tokens"] == true && switches["pooling_mode_lasttoken"] == true)
    #expect(switches["pooling_mode_cls_token"] == false && switches["pooling_mode"] == nil)
    let other = PoolingModes([.mean, .cls])
    let url = try written(SentenceSettings(pooling: other), to: "other")
    #expect(try json(url, "1_Pooling/config.json")["pooling_mode"] == ["mean", "cls"])
    #expect(try PretrainedModel.load(from: url).sentence.pooling == other)
  }

  @Test("truncate_dim keeps the first values of the scaled vector, as sentence-transformers does")
  func keptValues() throws {
    let whole = try PretrainedModel.load(from: written(SentenceSettings()))
    let url = try written(SentenceSettings(keptValues: 5), to: "cut")
    #expect(try json(url, "config_sentence_transformers.json")["truncate_dim"] == 5)
    let cut = try PretrainedModel.load(from: url)
    #expect(cut.sentence.keptValues == 5)
    let ids = [whole.tokenizer.encode("the red book")]
    let expected = Array(whole.embedder().embed(ids)[..<5])
    #expect(cut.embedder().width == 5)
    #expect(cut.embedder().embed(ids) == expected)
    let norm = expected.reduce(0) { $0 + $1 * $1 }.squareRoot()
    #expect(norm < 0.99)
    expectClose(
      cut.embedder(normalize: true).embed(ids), expected.map { $0 / norm }, absolute: 1e-6)
    #expect(cut.embedder(keepsAll: true).width == whole.embedder().width)
  }

  @Test("a module's path that isn't a string, and a truncate_dim of 0, are refused")
  func wrongValues() throws {
    for (file, from, to, reason) in [
      ("modules.json", "\"1_Pooling\"", "7", "path isn't a string"),
      (
        "config_sentence_transformers.json", "\"truncate_dim\": 5", "\"truncate_dim\": 0",
        "truncate_dim"
      ),
    ] {
      let url = try written(SentenceSettings(keptValues: 5), to: file)
      let place = url.appendingPathComponent(file)
      let text = try String(contentsOf: place, encoding: .utf8)
      #expect(text.contains(from))
      try text.replacingOccurrences(of: from, with: to).write(
        to: place, atomically: true, encoding: .utf8)
      let error = #expect(throws: CheckpointError.self) { try PretrainedModel.load(from: url) }
      #expect(error.map { "\($0)".contains(reason) } == true)
    }
  }

  /// As measured with sentence-transformers 6.2.0.
  @Test("without modules.json the length in sentence_bert_config.json isn't looked at")
  func lengthWithoutModules() throws {
    let url = try written(SentenceSettings(maximumLength: 9))
    #expect(try PretrainedModel.load(from: url).sentence.maximumLength == 9)
    let length = try json(url, "tokenizer_config.json")["model_max_length"]?.intValue
    try FileManager.default.removeItem(at: url.appendingPathComponent("modules.json"))
    let model = try PretrainedModel.load(from: url)
    #expect(
      model.sentence.maximumLength
        == min(length ?? .max, model.configuration.maximumPositions))
    #expect(!model.sentence.normalize)
  }

  @Test("a pipe in place of the weights is refused and not waited for")
  func pipe() throws {
    let url = try written(SentenceSettings())
    let weights = url.appendingPathComponent("model.safetensors")
    try FileManager.default.removeItem(at: weights)
    #expect(mkfifo(weights.path, 0o600) == 0)
    let error = #expect(throws: CheckpointError.self) { try PretrainedModel.load(from: url) }
    #expect(error.map { "\($0)".contains("isn't a regular file") } == true)
  }

  @Test("how many tokens of a text are the prompt's")
  func promptTokens() throws {
    let url = try written(SentenceSettings(includesPrompt: false))
    let model = try PretrainedModel.load(from: url)
    // [CLS] query :
    #expect(model.promptTokenCount("query : ", maximumLength: 20) == 3)
    #expect(model.promptTokenCount("", maximumLength: 20) == 0)
    #expect(try base().promptTokenCount("query : ", maximumLength: 20) == 0)
  }

  @Test(
    "a Dense module that isn't what its config says is refused",
    arguments: [
      ("Tanh", "Softmax", "Softmax"),
      ("\"in_features\": 16", "\"in_features\": 15", "shape [3, 15]"),
      ("\"out_features\": 3", "\"out_features\": 99999999", "out_features"),
      ("torch.nn", "mine.nn", "mine.nn"),
    ])
  func damagedDense(from: String, to: String, reason: String) throws {
    let layer = VectorProjection(
      inputs: 16, outputs: 3, weight: [Float](repeating: 0.5, count: 48), bias: [0, 0, 0],
      activation: .tanh)
    let url = try written(SentenceSettings(projections: [layer]))
    let file = url.appendingPathComponent("2_Dense/config.json")
    let text = try String(contentsOf: file, encoding: .utf8)
    #expect(text.contains(from))
    try text.replacingOccurrences(of: from, with: to).write(
      to: file, atomically: true, encoding: .utf8)
    do {
      _ = try PretrainedModel.load(from: url)
      Issue.record("loaded")
    } catch {
      #expect("\(error)".contains(reason), "\(error)")
    }
  }

  @Test("half precision is written where it is asked for, and says so in config.json")
  func halfPrecision() throws {
    let model = try base()
    for (type, name) in [(TensorType.float16, "float16"), (.bfloat16, "bfloat16")] {
      let url = folder.file(name)
      try model.write(to: url, product: .encoder, type: type, modelCard: "")
      let file = try SafeTensorsFile(url.appendingPathComponent("model.safetensors"))
      #expect(file.tensors.allSatisfy { $0.type == type })
      #expect(try json(url, "config.json")["torch_dtype"] == .string(name))
      let again = try PretrainedModel.load(from: url)
      // The values end with their stores.
      withExtendedLifetime((again, model)) {
        expectClose(
          Array(again.weights.values), Array(model.weights.values), absolute: 0x1p-24,
          relative: type == .float16 ? 0x1p-11 : 0x1p-8)
      }
    }
  }

  @Test("an untied decoder keeps its own matrix through loading and writing")
  func untiedDecoder() throws {
    let url = folder.file("model")
    try FileManager.default.copyItem(at: Goldens.directory("mlm"), to: url)
    let tied = try PretrainedModel.load(from: url, heads: .maskedTokens)
    // The same directory with a decoder of its own: twice the word embeddings, and another bias.
    var declarations: [SafeTensorsWriter.Declaration] = []
    var values: [[Float]] = []
    let file = try SafeTensorsFile(url.appendingPathComponent("model.safetensors"))
    for tensor in file.tensors {
      declarations.append(.init(tensor.name, shape: tensor.shape))
      values.append(try file.floats(tensor.name))
    }
    let words = try file.floats("bert.embeddings.word_embeddings.weight")
    declarations.append(.init("cls.predictions.decoder.weight", shape: [63, 16]))
    values.append(words.map { 2 * $0 })
    declarations.append(.init("cls.predictions.decoder.bias", shape: [63]))
    values.append([Float](repeating: 0.5, count: 63))
    let writer = try SafeTensorsWriter(file.url, tensors: declarations)
    for part in values { try part.withUnsafeBufferPointer { try writer.append($0) } }
    try writer.finish()
    let config = url.appendingPathComponent("config.json")
    let text = try String(contentsOf: config, encoding: .utf8)
    try text.replacingOccurrences(
      of: "\"tie_word_embeddings\": true", with: "\"tie_word_embeddings\": false"
    ).write(to: config, atomically: true, encoding: .utf8)

    let copy = folder.file("copy")
    let untied = try PretrainedModel.load(from: url, heads: .maskedTokens)
    try untied.write(to: copy, product: .maskedLanguageModel, modelCard: "")
    let again = try PretrainedModel.load(from: copy, heads: .maskedTokens)
    let bias = try file.floats("cls.predictions.bias")
    let expected = try logits(tied)
    for model in [untied, again] {
      let found = try logits(model)
      for index in found.indices {
        // Tied logits are h w + b; these are 2 h w + 0.5.
        let place = index % 63
        expectClose(found[index], 2 * (expected[index] - bias[place]) + 0.5, absolute: 3e-5)
      }
    }
    #expect(try json(copy, "config.json")["tie_word_embeddings"] == false)
  }

  private func logits(_ model: PretrainedModel) throws -> [Float] {
    let head = try #require(model.maskedTokenHead)
    let ids = model.tokenizer.encode("the [MASK] book")
    let arena = Arena<Float>()
    let hidden = model.encoder.infer(PackedBatch([ids]), weights: model.weights, arena: arena)
    let logits = head.logits(hidden: hidden, positions: [2], weights: model.weights, arena: arena)
    return Array(UnsafeBufferPointer(start: logits, count: model.configuration.vocabularySize))
  }
}
