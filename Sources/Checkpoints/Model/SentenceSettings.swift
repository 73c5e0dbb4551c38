public import EncoderModel

/// How a directory's texts become vectors, as sentence-transformers' files say it.
public struct SentenceSettings: Sendable, Equatable {
  /// A text put before what is embedded, such as "query: ".
  public struct Prompt: Sendable, Equatable {
    /// The name by which it is chosen.
    public var name: String
    /// What is put before the text, as it is: usually it ends with a space.
    public var text: String

    /// Creates a prompt.
    public init(name: String, text: String) {
      self.name = name
      self.text = text
    }
  }

  /// How the hidden states become one vector.
  public var pooling: PoolingModes
  /// Dense layers over the pooled vectors.
  public var projections: [VectorProjection]
  /// Whether vectors are scaled to length 1.
  public var normalize: Bool
  /// The most tokens of a text, [CLS] and [SEP] included; longer ones are cut at the end.
  public var maximumLength: Int
  /// How many values of a vector are kept (`truncate_dim`), after scaling and without scaling again; nil
  /// keeps all.
  public var keptValues: Int?
  /// The prompts that the model knows.
  public var prompts: [Prompt]
  /// The prompt that is used when none is asked for.
  public var defaultPromptName: String?
  /// Whether a prompt's tokens take part in pooling.
  public var includesPrompt: Bool

  /// Creates settings; the defaults are what `encoder pretrain` writes.
  public init(
    pooling: PoolingModes = .mean, projections: [VectorProjection] = [], normalize: Bool = true,
    maximumLength: Int = 512, keptValues: Int? = nil, prompts: [Prompt] = [],
    defaultPromptName: String? = nil, includesPrompt: Bool = true
  ) {
    self.keptValues = keptValues
    self.pooling = pooling
    self.projections = projections
    self.normalize = normalize
    self.maximumLength = maximumLength
    self.prompts = prompts
    self.defaultPromptName = defaultPromptName
    self.includesPrompt = includesPrompt
  }

  /// The text of a prompt, compared byte by byte; `nil` when the model has none of that name.
  public func prompt(named name: String) -> String? {
    prompts.first { $0.name.utf8.elementsEqual(name.utf8) }?.text
  }
}
