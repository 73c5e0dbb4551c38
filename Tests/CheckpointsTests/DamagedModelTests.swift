import Checkpoints
import Foundation
import Testing
import Tokenization

@Suite("Refusing model directories")
struct DamagedModelTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A copy of a golden directory.
  private func copy(_ name: String) throws -> URL {
    let url = folder.file(UUID().uuidString)
    try FileManager.default.copyItem(at: Goldens.directory(name), to: url)
    return url
  }

  private func edit(_ url: URL, _ name: String, _ from: String, _ to: String) throws {
    let file = url.appendingPathComponent(name)
    let text = try String(contentsOf: file, encoding: .utf8)
    #expect(text.contains(from), "\(name) has no \(from)")
    try text.replacingOccurrences(of: from, with: to).write(
      to: file, atomically: true, encoding: .utf8)
  }

  private func expectRefusal(_ url: URL, _ reason: String, heads: HeadSelection = .none) {
    do {
      _ = try PretrainedModel.load(from: url, heads: heads)
      Issue.record("loaded; expected: \(reason)")
    } catch {
      #expect("\(error)".contains(reason), "\(error)")
    }
  }

  @Test(
    "another kind of model is refused by its key",
    arguments: [
      ("\"model_type\": \"bert\"", "\"model_type\": \"roberta\"", "roberta"),
      ("\"is_decoder\": false", "\"is_decoder\": true", "is_decoder"),
      ("\"hidden_act\": \"gelu_new\"", "\"hidden_act\": \"silu\"", "silu"),
      (
        "\"hidden_size\": 16", "\"position_embedding_type\": \"relative_key\"",
        "position_embedding_type"
      ),
      ("\"num_attention_heads\": 2", "\"num_attention_heads\": 3", "num_attention_heads"),
      ("\"num_attention_heads\": 2", "\"num_attention_heads\": 0", "num_attention_heads"),
      ("\"hidden_size\": 16", "\"hidden_size\": 4611686018427387904", "hidden_size"),
      ("\"hidden_size\": 16", "\"hidden_size\": \"16\"", "hidden_size"),
      ("\"hidden_size\": 16", "\"hidden_size\": 32", "embeddings.word_embeddings.weight"),
      ("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", "encoder.layer.2."),
      ("\"vocab_size\": 63", "\"vocab_size\": 59", "vocabulary has 60"),
      ("\"vocab_size\": 63", "\"vocab_size\": 16777216", "[63, 16]"),
      ("\"intermediate_size\": 32", "\"intermediate_size\": 33", "intermediate.dense.weight"),
      ("\"layer_norm_eps\": 1e-12", "\"layer_norm_eps\": 0", "layer_norm_eps"),
      ("{", "{{", "config.json"),
    ])
  func configuration(from: String, to: String, reason: String) throws {
    let url = try copy("mlm")
    try edit(url, "config.json", from, to)
    expectRefusal(url, reason)
  }

  @Test("a decoder that isn't tied is refused where the head is wanted, and only there")
  func untied() throws {
    let url = try copy("mlm")
    try edit(url, "config.json", "\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false")
    expectRefusal(url, "decoder", heads: .maskedTokens)
    _ = try PretrainedModel.load(from: url)
  }

  @Test("files that are missing are named")
  func missingFiles() throws {
    for name in ["config.json", "model.safetensors", "tokenizer.json"] {
      let url = try copy("mlm")
      try FileManager.default.removeItem(at: url.appendingPathComponent(name))
      expectRefusal(url, name)
    }
    expectRefusal(Goldens.directory("absent"), "absent")
  }

  @Test("pickled weights, whole or in shards, are refused with what to do")
  func pickled() throws {
    let cases: [(weights: String, index: String?)] = [
      ("pytorch_model.bin", nil),
      ("pytorch_model-00001-of-00002.bin", "pytorch_model.bin.index.json"),
    ]
    for (weights, index) in cases {
      let url = try copy("mlm")
      try FileManager.default.moveItem(
        at: url.appendingPathComponent("model.safetensors"),
        to: url.appendingPathComponent(weights))
      if let index { try Data("{}".utf8).write(to: url.appendingPathComponent(index)) }
      expectRefusal(url, "the weights are in pytorch_model.bin")
      expectRefusal(url, "convert them with transformers")
    }
  }

  @Test("modules, pooling and prompts that we don't have are refused")
  func modules() throws {
    let edits = [
      ("modules.json", "models.Normalize", "models.CNN", "CNN"),
      ("modules.json", "models.Normalize", "models.Dense", "2_Normalize/config.json"),
      ("modules.json", "models.Normalize", "models.Pooling", "order"),
      ("modules.json", "sentence_transformers.models.Normalize", "code.Normalize", "own"),
      ("modules.json", "\"1_Pooling\"", "\"../elsewhere\"", "leaves"),
      ("modules.json", "\"1_Pooling\"", "\"/etc\"", "leaves"),
      ("sentence_bert_config.json", "10", "2", "max_seq_length"),
      ("model.safetensors.index.json", "model-00002", "../model-00002", "folder"),
      ("model.safetensors.index.json", "model-00002-of", "model-00003-of", "shard"),
      ("vocab.txt", "[MASK]\n", "", "[MASK]"),
    ]
    for (name, from, to, reason) in edits {
      let url = try copy("legacy")
      try edit(url, name, from, to)
      expectRefusal(url, reason)
    }
    let pooled = try copy("st6")
    try edit(pooled, "1_Pooling/config.json", "\"cls\"", "\"first\"")
    expectRefusal(pooled, "pooling first")
    let url = try copy("st6")
    try edit(
      url, "config_sentence_transformers.json", "\"default_prompt_name\": \"document\"",
      "\"default_prompt_name\": \"x\"")
    expectRefusal(url, "default_prompt_name")
  }

  @Test("a directory of a newer format is refused")
  func format() throws {
    let url = try copy("mlm")
    try "{\"format_version\": 2}".write(
      to: url.appendingPathComponent("encoder.json"), atomically: true, encoding: .utf8)
    expectRefusal(url, "format_version")
  }

  @Test("weights that aren't finite are refused by their tensor")
  func notFinite() throws {
    let url = try copy("mlm")
    let file = url.appendingPathComponent("model.safetensors")
    var bytes = try [UInt8](Data(contentsOf: file))
    let layout = try SafeTensorsFile(file)
    let name = "bert.encoder.layer.1.output.dense.bias"
    let tensor = try #require(layout[name])
    let dataStart = bytes.count - (layout.tensors.last?.byteRange.upperBound ?? 0)
    let place = dataStart + tensor.byteRange.lowerBound + 4
    bytes.replaceSubrange(place..<place + 4, with: [0, 0, 0xC0, 0x7F])
    try Data(bytes).write(to: file)
    expectRefusal(url, name)
  }

  @Test("do_lower_case of tokenizer_config.json decides, as it does in transformers")
  func lowercase() throws {
    let url = try copy("mlm")
    #expect(try PretrainedModel.load(from: url).tokenizer.options.lowercase)
    try edit(url, "tokenizer_config.json", "\"do_lower_case\": true", "\"do_lower_case\": false")
    #expect(try !PretrainedModel.load(from: url).tokenizer.options.lowercase)
    try edit(url, "tokenizer_config.json", "\"BertTokenizer\"", "\"PreTrainedTokenizerFast\"")
    #expect(try PretrainedModel.load(from: url).tokenizer.options.lowercase)
  }
}
