import EncoderModel
import Foundation

/// `config.json`: read with clear refusals of what isn't a BERT encoder, written for any reader.
enum ConfigurationFile {
  static let name = "config.json"

  /// The keys that decide whether a checkpoint can be read at all, and two that heads need.
  private struct Kind: Decodable {
    let model_type: String?
    let architectures: [String]?
    let position_embedding_type: String?
    let is_decoder: Bool?
    let add_cross_attention: Bool?
    let hidden_act: String?
    let tie_word_embeddings: Bool?
    let embedding_size: Int?
  }

  struct Contents {
    let configuration: EncoderConfiguration
    let tiesWordEmbeddings: Bool
  }

  static func read(_ directory: URL) throws -> Contents {
    let url = directory.appendingPathComponent(name)
    let kind = try JSONFile.decode(Kind.self, from: url)
    func refuse(_ what: String, _ key: String, _ advice: String) -> CheckpointError {
      CheckpointError(what, path: url.path, item: key, advice: advice)
    }
    let advice = "use a BERT encoder with a WordPiece vocabulary"
    if let type = kind.model_type, type != "bert" {
      throw refuse("model type \(type) isn't supported", "model_type", advice)
    }
    if kind.model_type == nil, let name = kind.architectures?.first, !name.hasPrefix("Bert") {
      throw refuse("\(name) isn't supported", "architectures", advice)
    }
    if let type = kind.position_embedding_type, type != "absolute" {
      throw refuse("positions of type \(type) aren't supported", "position_embedding_type", advice)
    }
    if kind.is_decoder == true { throw refuse("decoders aren't supported", "is_decoder", advice) }
    if kind.add_cross_attention == true {
      throw refuse("cross-attention isn't supported", "add_cross_attention", advice)
    }
    if let name = kind.hidden_act, EncoderConfiguration.Activation(rawValue: name) == nil {
      throw refuse(
        "activation \(name) isn't supported", "hidden_act",
        "supported are gelu, gelu_new, gelu_pytorch_tanh and relu")
    }
    let configuration = try JSONFile.decode(EncoderConfiguration.self, from: url)
    try check(configuration, path: url.path)
    return Contents(
      configuration: configuration, tiesWordEmbeddings: kind.tie_word_embeddings ?? true)
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
    let text = """
      {
        "architectures": ["\(architecture)"],
        "model_type": "bert",
        "attention_probs_dropout_prob": \(c.attentionDropout),
        "classifier_dropout": null,
        "hidden_act": "\(c.activation.rawValue)",
        "hidden_dropout_prob": \(c.hiddenDropout),
        "hidden_size": \(c.hiddenSize),
        "initializer_range": \(c.initializerRange),
        "intermediate_size": \(c.intermediateSize),
        "layer_norm_eps": \(c.layerNormEpsilon),
        "max_position_embeddings": \(c.maximumPositions),
        "num_attention_heads": \(c.headCount),
        "num_hidden_layers": \(c.layerCount),
        "pad_token_id": \(c.paddingID),
        "position_embedding_type": "absolute",
        "tie_word_embeddings": true,
        "torch_dtype": "float32",
        "transformers_version": "4.30.0",
        "type_vocab_size": \(c.tokenTypeCount),
        "use_cache": true,
        "vocab_size": \(c.vocabularySize)
      }

      """
    try TextFile.write(text, name, in: directory)
  }
}
