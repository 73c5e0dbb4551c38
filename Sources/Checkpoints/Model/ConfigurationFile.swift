import EncoderModel
import Foundation
import Tokenization

/// `config.json`: read with clear refusals of what isn't a BERT encoder, written for any reader.
enum ConfigurationFile {
  static let name = "config.json"

  struct Contents {
    let configuration: EncoderConfiguration
    let tiesWordEmbeddings: Bool
    let family: ModelFamily
  }

  static func read(_ directory: URL) throws -> Contents {
    let url = directory.appendingPathComponent(name)
    let file = try JSONFile(url)
    let bert =
      "use a BERT encoder with a WordPiece vocabulary, such as all-MiniLM-L6-v2 or bge-small-en-v1.5"
    func refuse(_ what: String, _ key: String, _ advice: String = bert) -> CheckpointError {
      CheckpointError(what, path: url.path, item: key, advice: advice)
    }
    let family = try ModelFamily(
      type: try file.string("model_type"), architecture: try file.strings("architectures")?.first
    ) { refuse($0, $1) }
    if let type = try file.string("position_embedding_type"), type != "absolute" {
      throw refuse(
        "positions of type \(type) aren't supported, as they change the attention itself",
        "position_embedding_type")
    }
    for key in ["is_decoder", "add_cross_attention"] where try file.flag(key) ?? false {
      throw refuse("decoders aren't supported, as they only look back", key)
    }
    let activationKey = family == .distilbert ? "activation" : "hidden_act"
    if let name = try file.string(activationKey),
      EncoderConfiguration.Activation(rawValue: name) == nil
    {
      throw refuse(
        "activation \(name) isn't supported", activationKey,
        "supported are gelu, gelu_new, gelu_pytorch_tanh and relu")
    }
    let configuration = try configuration(file, family)
    try check(configuration, path: url.path)
    if family == .electra {
      let width = try file.integer("embedding_size") ?? 128
      guard width == configuration.hiddenSize else {
        throw refuse(
          "an ELECTRA with embeddings of \(width) values under hidden states of "
            + "\(configuration.hiddenSize) isn't supported", "embedding_size",
          "use one whose embedding_size is its hidden_size, such as electra-base-discriminator")
      }
    }
    return Contents(
      configuration: configuration,
      tiesWordEmbeddings: try file.flag("tie_word_embeddings") ?? true, family: family)
  }

  /// The sizes and constants, with transformers' default for a key that is missing.
  private static func configuration(
    _ file: JSONFile, _ family: ModelFamily
  ) throws -> EncoderConfiguration {
    // DistilBERT has names of its own, ELECTRA other defaults.
    func key(_ bert: String, _ distilbert: String) -> String {
      family == .distilbert ? distilbert : bert
    }
    let isElectra = family == .electra
    let name = try file.string(key("hidden_act", "activation"))
    return EncoderConfiguration(
      vocabularySize: try file.integer("vocab_size") ?? 30522,
      hiddenSize: try file.integer(key("hidden_size", "dim")) ?? (isElectra ? 256 : 768),
      layerCount: try file.integer(key("num_hidden_layers", "n_layers"))
        ?? (family == .distilbert ? 6 : 12),
      headCount: try file.integer(key("num_attention_heads", "n_heads")) ?? (isElectra ? 4 : 12),
      intermediateSize: try file.integer(key("intermediate_size", "hidden_dim"))
        ?? (isElectra ? 1024 : 3072),
      activation: name.flatMap(EncoderConfiguration.Activation.init) ?? .gelu,
      hiddenDropout: try file.number(key("hidden_dropout_prob", "dropout")) ?? 0.1,
      attentionDropout: try file.number(key("attention_probs_dropout_prob", "attention_dropout"))
        ?? 0.1,
      maximumPositions: try file.integer("max_position_embeddings") ?? 512,
      tokenTypeCount: family == .distilbert ? 2 : try file.integer("type_vocab_size") ?? 2,
      initializerRange: try file.number("initializer_range") ?? 0.02,
      layerNormEpsilon: family == .distilbert ? 1e-12 : try file.number("layer_norm_eps") ?? 1e-12,
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
    _ c: EncoderConfiguration, architecture: String, tiesWordEmbeddings: Bool, type: TensorType,
    to directory: URL
  ) throws {
    let types: [TensorType: JSONValue] = [.float16: "float16", .bfloat16: "bfloat16"]
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
      "tie_word_embeddings": .bool(tiesWordEmbeddings), "torch_dtype": types[type] ?? "float32",
      "transformers_version": "4.30.0",
      "type_vocab_size": .integer(Int64(c.tokenTypeCount)), "use_cache": true,
      "vocab_size": .integer(Int64(c.vocabularySize)),
    ]
    try JSONFile.write(value, name, in: directory)
  }
}
