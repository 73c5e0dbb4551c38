/// How text is normalised and split: the switches of BERT's tokenizer.
public struct TokenizerOptions: Sendable, Equatable {
  /// Text is lowercased ("uncased" models).
  public var lowercase: Bool
  /// Accents are removed; nil does what `lowercase` says, as BERT does.
  public var stripAccents: Bool?
  /// Each CJK ideograph is a word of its own.
  public var tokenizeChineseCharacters: Bool
  /// Control characters are removed and every kind of space becomes a plain one.
  public var cleanText: Bool
  /// Words with more Unicode scalars than this become the unknown token.
  public var maximumWordLength: Int

  /// Creates options; the defaults are those of bert-base-uncased.
  public init(
    lowercase: Bool = true, stripAccents: Bool? = nil, tokenizeChineseCharacters: Bool = true,
    cleanText: Bool = true, maximumWordLength: Int = 100
  ) {
    self.lowercase = lowercase
    self.stripAccents = stripAccents
    self.tokenizeChineseCharacters = tokenizeChineseCharacters
    self.cleanText = cleanText
    self.maximumWordLength = maximumWordLength
  }
}
