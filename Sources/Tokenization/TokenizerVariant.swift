extension Tokenizer {
  /// The same vocabulary and added tokens under other options, as when a tokenizer_config.json
  /// overrides what tokenizer.json says.
  package func with(options: TokenizerOptions) -> Tokenizer {
    Tokenizer(
      vocabulary: vocabulary, options: options, addedTokens: addedTokens,
      cleansDecodedText: cleansDecodedText)
  }
}
