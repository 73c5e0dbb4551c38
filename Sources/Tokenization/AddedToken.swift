/// A token that is looked for in the text itself, before it is split into words.
public struct AddedToken: Sendable, Equatable {
  /// The text that is looked for.
  public var content: String
  /// Its id in the vocabulary.
  public var id: Int32
  /// Only matches that aren't part of a longer word count.
  public var singleWord: Bool
  /// White space before the match belongs to it.
  public var stripsLeft: Bool
  /// White space after the match belongs to it.
  public var stripsRight: Bool
  /// It is looked for in the normalised text, itself normalised.
  public var normalized: Bool
  /// Decoding leaves it out when asked to skip special tokens.
  public var special: Bool

  /// Creates a token; the defaults are those of BERT's special tokens.
  public init(
    content: String, id: Int32, singleWord: Bool = false, stripsLeft: Bool = false,
    stripsRight: Bool = false, normalized: Bool = false, special: Bool = true
  ) {
    self.content = content
    self.id = id
    self.singleWord = singleWord
    self.stripsLeft = stripsLeft
    self.stripsRight = stripsRight
    self.normalized = normalized
    self.special = special
  }
}
