import EncoderModel
import Foundation
import Tokenization

/// `config.json`: read with clear refusals of what isn't a BERT encoder, written for any reader.
enum ConfigurationFile {
  static let name = "config.json"

  struct Contents {
    let configuration: EncoderConfiguration
    let tiesWordEmbeddings: Bool
  }

  static func read(_ directory: URL) throws -> Contents {
    let url = directory.appendingPathComponent(name)
    let file = try JSONFile(url)
    let bert = "use a BERT encoder with a WordPiece vocabulary"
    func refuse(_ what: String, _ key: String, _ advice: String = bert) -> CheckpointError {
      CheckpointError(what, path: url.path, item: key, advice: advice)
    }
    let type = try file.string("model_type")
    if let type, type != "bert" {
      throw refuse("model type \(type) isn't supported", "model_type")
    }
    if type == nil, let name = try file.strings("architectures")?.first, !name.hasPrefix("Bert") {
      throw refuse("\(name) isn't supported", "architectures")
    }
    if let type = try file.string("position_embedding_type"), type != "absolute" {
      throw refuse("positions of type \(type) aren't supported", "position_embedding_type")
    }
    for key in ["is_decoder", "add_cross_attention"] where try file.flag(key) ?? false {
      throw refuse("decoders aren't supported", key)
    }
    if let name = try file.string("hidden_act"),
      EncoderConfiguration.Activation(rawValue: name) == nil
    {
      throw refuse(
        "activation \(name) isn't supported", "hidden_act",
        "supported are gelu, gelu_new, gelu_pytorch_tanh and relu")
    }
    let configuration = try configuration(file)
    try check(configuration, path: url.path)
    return Contents(
      configuration: configuration, tiesWordEmbeddings: try file.flag("tie_word_embeddings") ?? true
    )
  }

  /// The sizes and constants, with `BertConfig`'s default for a key that is missing.
  private static func configuration(_ file: JSONFile) throws -> EncoderConfiguration {
    let activation = try file.string("hidden_act").flatMap(EncoderConfiguration.Activation.init)
    return EncoderConfiguration(
      vocabularySize: try file.integer("vocab_size") ?? 30522,
      hiddenSize: try file.integer("hidden_size") ?? 768,
      layerCount: try file.integer("num_hidden_layers") ?? 12,
      headCount: try file.integer("num_attention_heads") ?? 12,
      intermediateSize: try file.integer("intermediate_size") ?? 3072,
      activation: activation ?? .gelu,
      hiddenDropout: try file.number("hidden_dropout_prob") ?? 0.1,
      attentionDropout: try file.number("attention_probs_dropout_prob") ?? 0.1,
      maximumPositions: try file.integer("max_position_embeddings") ?? 512,
      tokenTypeCount: try file.integer("type_vocab_size") ?? 2,
      initializerRange: try file.number("initializer_range") ?? 0.02,
      layerNormEpsilon: try file.number("layer_norm_eps") ?? 1e-12,
      paddingID: try file.integer("pad_token_id") ?? 0)
  }

  /// Bounds that no BERT comes near, so that sizes from a file can be multiplied without overflow.
  static func check(_ c: EncoderConfiguration, path: String) throws {
    func require(_ value: Int, _ range: ClosedRange<Int>, _ key: String) throws {
      guard range.contains(value) else {
        throw CheckpointError(
          "\(value) is outside \(range.lowerBound) to \(range.upperBound)", path: path, item: key,
          advice: "correct the value")
      }
    }
    try require(c.vocabularySize, 1...1 << 24, "vocab_size")
    try require(c.hiddenSize, 1...1 << 16, "hidden_size")
    try require(c.layerCount, 0...1 << 10, "num_hidden_layers")
    try require(c.headCount, 1...c.hiddenSize, "num_attention_heads")
    try require(c.intermediateSize, 1...1 << 18, "intermediate_size")
    try require(c.maximumPositions, 3...1 << 20, "max_position_embeddings")
    try require(c.tokenTypeCount, 1...1 << 10, "type_vocab_size")
    guard c.hiddenSize % c.headCount == 0 else {
      throw CheckpointError(
        "\(c.headCount) heads don't divide hidden_size \(c.hiddenSize)", path: path,
        item: "num_attention_heads", advice: "correct the value")
    }
    guard c.layerNormEpsilon > 0, c.layerNormEpsilon < 1,
      (0..<1).contains(c.hiddenDropout), (0..<1).contains(c.attentionDropout)
    else {
      throw CheckpointError(
        "layer_norm_eps or a dropout rate is outside 0 to 1", path: path,
        advice: "correct the value")
    }
  }

  static func write(
    _ c: EncoderConfiguration, architecture: String, to directory: URL
  ) throws {
    let value: JSONValue = [
      "architectures": [.string(architecture)], "model_type": "bert",
      "attention_probs_dropout_prob": .number(c.attentionDropout), "classifier_dropout": nil,
      "hidden_act": .string(c.activation.rawValue),
      "hidden_dropout_prob": .number(c.hiddenDropout),
      "hidden_size": .integer(Int64(c.hiddenSize)),
      "initializer_range": .number(c.initializerRange),
      "intermediate_size": .integer(Int64(c.intermediateSize)),
      "layer_norm_eps": .number(c.layerNormEpsilon),
      "max_position_embeddings": .integer(Int64(c.maximumPositions)),
      "num_attention_heads": .integer(Int64(c.headCount)),
      "num_hidden_layers": .integer(Int64(c.layerCount)),
      "pad_token_id": .integer(Int64(c.paddingID)), "position_embedding_type": "absolute",
      "tie_word_embeddings": true, "torch_dtype": "float32", "transformers_version": "4.30.0",
      "type_vocab_size": .integer(Int64(c.tokenTypeCount)), "use_cache": true,
      "vocab_size": .integer(Int64(c.vocabularySize)),
    ]
    try JSONFile.write(value, name, in: directory)
  }
}
