/// The sizes and constants of a BERT encoder, under Hugging Face's `config.json` keys.
///
/// Reference: Devlin et al. 2019, "BERT"; the keys are those of transformers' `BertConfig`.
public struct EncoderConfiguration: Sendable, Equatable, Codable {
  /// The activation inside the feed-forward block and the MLM head.
  public enum Activation: String, Sendable, Codable {
    /// Exact GELU, `x * Phi(x)` by erf.
    case gelu
    /// The tanh approximation of GELU, as `gelu_new`.
    case geluNew = "gelu_new"
    /// The tanh approximation of GELU under PyTorch's name.
    case geluTanh = "gelu_pytorch_tanh"
    /// `max(x, 0)`.
    case relu
  }

  /// Rows of the word embedding table.
  public var vocabularySize: Int
  /// Width of the hidden states, H.
  public var hiddenSize: Int
  /// Number of Transformer layers, L.
  public var layerCount: Int
  /// Attention heads a layer; divides ``hiddenSize``.
  public var headCount: Int
  /// Width of the feed-forward block, I.
  public var intermediateSize: Int
  /// Activation of the feed-forward block.
  public var activation: Activation
  /// Dropout after embeddings, attention output and feed-forward output, in training.
  public var hiddenDropout: Double
  /// Dropout on attention probabilities, in training.
  public var attentionDropout: Double
  /// Rows of the learned position table: the longest sequence, [CLS] and [SEP] included.
  public var maximumPositions: Int
  /// Rows of the token type table.
  public var tokenTypeCount: Int
  /// Standard deviation of the normal initialisation.
  public var initializerRange: Double
  /// Epsilon inside LayerNorm.
  public var layerNormEpsilon: Double
  /// Id of the padding token.
  public var paddingID: Int

  enum CodingKeys: String, CodingKey {
    case vocabularySize = "vocab_size"
    case hiddenSize = "hidden_size"
    case layerCount = "num_hidden_layers"
    case headCount = "num_attention_heads"
    case intermediateSize = "intermediate_size"
    case activation = "hidden_act"
    case hiddenDropout = "hidden_dropout_prob"
    case attentionDropout = "attention_probs_dropout_prob"
    case maximumPositions = "max_position_embeddings"
    case tokenTypeCount = "type_vocab_size"
    case initializerRange = "initializer_range"
    case layerNormEpsilon = "layer_norm_eps"
    case paddingID = "pad_token_id"
  }

  /// Creates a configuration with BERT's defaults for everything not given.
  public init(
    vocabularySize: Int, hiddenSize: Int, layerCount: Int, headCount: Int, intermediateSize: Int,
    activation: Activation = .gelu, hiddenDropout: Double = 0.1, attentionDropout: Double = 0.1,
    maximumPositions: Int = 512, tokenTypeCount: Int = 2, initializerRange: Double = 0.02,
    layerNormEpsilon: Double = 1e-12, paddingID: Int = 0
  ) {
    self.vocabularySize = vocabularySize
    self.hiddenSize = hiddenSize
    self.layerCount = layerCount
    self.headCount = headCount
    self.intermediateSize = intermediateSize
    self.activation = activation
    self.hiddenDropout = hiddenDropout
    self.attentionDropout = attentionDropout
    self.maximumPositions = maximumPositions
    self.tokenTypeCount = tokenTypeCount
    self.initializerRange = initializerRange
    self.layerNormEpsilon = layerNormEpsilon
    self.paddingID = paddingID
  }

  /// Reads the keys of `config.json`, with `BertConfig`'s default for a key that is missing.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    func value<T: Decodable>(_ key: CodingKeys, _ fallback: T) throws -> T {
      try values.decodeIfPresent(T.self, forKey: key) ?? fallback
    }
    vocabularySize = try value(.vocabularySize, 30522)
    hiddenSize = try value(.hiddenSize, 768)
    layerCount = try value(.layerCount, 12)
    headCount = try value(.headCount, 12)
    intermediateSize = try value(.intermediateSize, 3072)
    activation = try value(.activation, .gelu)
    hiddenDropout = try value(.hiddenDropout, 0.1)
    attentionDropout = try value(.attentionDropout, 0.1)
    maximumPositions = try value(.maximumPositions, 512)
    tokenTypeCount = try value(.tokenTypeCount, 2)
    initializerRange = try value(.initializerRange, 0.02)
    layerNormEpsilon = try value(.layerNormEpsilon, 1e-12)
    paddingID = try value(.paddingID, 0)
  }

  /// Width of one attention head.
  public var headSize: Int { hiddenSize / headCount }
}
