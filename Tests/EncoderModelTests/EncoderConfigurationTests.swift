import EncoderModel
import Foundation
import Testing

/// `config.json` as transformers writes and reads it.
@Suite struct EncoderConfigurationTests {
  private func decode(_ json: String) throws -> EncoderConfiguration {
    try JSONDecoder().decode(EncoderConfiguration.self, from: Data(json.utf8))
  }

  /// The file of sentence-transformers/all-MiniLM-L6-v2, which has keys that we don't read.
  @Test func readsMiniLM() throws {
    let c = try decode(
      """
      {"_name_or_path": "nreimers/MiniLM-L6-H384-uncased", "architectures": ["BertModel"],
       "attention_probs_dropout_prob": 0.1, "gradient_checkpointing": false, "hidden_act": "gelu",
       "hidden_dropout_prob": 0.1, "hidden_size": 384, "initializer_range": 0.02,
       "intermediate_size": 1536, "layer_norm_eps": 1e-12, "max_position_embeddings": 512,
       "model_type": "bert", "num_attention_heads": 12, "num_hidden_layers": 6,
       "pad_token_id": 0, "position_embedding_type": "absolute",
       "transformers_version": "4.8.2", "type_vocab_size": 2, "use_cache": true,
       "vocab_size": 30522}
      """)
    #expect(
      c
        == EncoderConfiguration(
          vocabularySize: 30522, hiddenSize: 384, layerCount: 6, headCount: 12,
          intermediateSize: 1536))
    #expect(c.headSize == 32)
  }

  /// The defaults of `BertConfig()`.
  @Test func missingKeysAreBertBase() throws {
    let c = try decode("{}")
    #expect(
      c
        == EncoderConfiguration(
          vocabularySize: 30522, hiddenSize: 768, layerCount: 12, headCount: 12,
          intermediateSize: 3072, activation: .gelu, hiddenDropout: 0.1, attentionDropout: 0.1,
          maximumPositions: 512, tokenTypeCount: 2, initializerRange: 0.02,
          layerNormEpsilon: 1e-12, paddingID: 0))
  }

  @Test(arguments: [
    ("gelu", EncoderConfiguration.Activation.gelu), ("gelu_new", .geluNew),
    ("gelu_pytorch_tanh", .geluTanh), ("relu", .relu),
  ])
  func activationsByTransformersNames(
    _ name: String, _ activation: EncoderConfiguration.Activation
  ) throws {
    let c = try decode("{\"hidden_act\": \"\(name)\"}")
    #expect(c.activation == activation)
  }

  @Test(arguments: [
    "{\"hidden_act\": \"no_such\"}", "{\"hidden_size\": \"384\"}", "{\"vocab_size\": 1.5}", "[]",
  ])
  func badValuesThrow(_ json: String) {
    #expect(throws: DecodingError.self) { try decode(json) }
  }

  @Test(arguments: EncoderPreset.allCases)
  func encodingKeepsEverything(_ preset: EncoderPreset) throws {
    let configuration = preset.configuration(
      vocabularySize: 8192, dropout: 0.05, maximumPositions: 128, paddingID: 3)
    let data = try JSONEncoder().encode(configuration)
    let decoded = try JSONDecoder().decode(EncoderConfiguration.self, from: data)
    #expect(decoded == configuration)
    let keys = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(keys["num_attention_heads"] as? Int == configuration.headCount)
    #expect(keys["attention_probs_dropout_prob"] as? Double == 0.05)
    #expect(keys["pad_token_id"] as? Int == 3)
  }
}
