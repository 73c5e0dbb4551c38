/// The names under which public checkpoints hold BERT's tensors.
enum TensorNames {
  /// The name in a parameter table: without the prefix `bert.` of the classes with a head, and with
  /// the LayerNorm names that TensorFlow checkpoints lack.
  static func canonical(_ name: String) -> String {
    var result = Substring(name)
    if result.hasPrefix("bert.") { result = result.dropFirst(5) }
    if result.hasSuffix(".gamma") { return result.dropLast(5) + "weight" }
    if result.hasSuffix(".beta") { return result.dropLast(4) + "bias" }
    return String(result)
  }

  static let maskedTokenPrefix = "cls.predictions."
  static let bagOfWordsPrefix = "bag_of_words."
  static let decoderBias = "cls.predictions.bias"
  /// Where old files, and those whose decoder isn't tied, have the decoder's bias.
  static let oldDecoderBias = "cls.predictions.decoder.bias"

  static func belongsToHead(_ name: String) -> Bool {
    name.hasPrefix(maskedTokenPrefix) || name.hasPrefix(bagOfWordsPrefix)
  }

  /// The name in a file of `BertForMaskedLM`.
  static func inMaskedLanguageModel(_ name: String) -> String {
    name.hasPrefix("cls.") ? name : "bert." + name
  }
}
