/// Which pretraining heads a loaded model gets.
public struct HeadSelection: OptionSet, Sendable {
  /// One bit a head.
  public let rawValue: Int

  /// Creates a selection from its bits.
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// No head: the encoder alone.
  public static let none: HeadSelection = []
  /// The masked-language-modelling head.
  public static let maskedTokens = HeadSelection(rawValue: 1)
  /// The head that predicts a text's bag of words from its pooled vector.
  public static let bagOfWords = HeadSelection(rawValue: 2)
  /// What pretraining needs: both heads, newly initialised where the directory has none.
  public static let trainable: HeadSelection = [.maskedTokens, .bagOfWords]
}
