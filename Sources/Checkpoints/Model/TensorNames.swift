/// The names under which public checkpoints hold BERT's tensors.
enum TensorNames {
  /// The name in a parameter table: without the prefix of the classes with a head (`bert.`), with the
  /// LayerNorm names that TensorFlow checkpoints lack, and with BERT's names for DistilBERT's.
  static func canonical(_ name: String, _ family: ModelFamily = .bert) -> String {
    var result = Substring(name)
    if result.hasPrefix(family.prefix) { result = result.dropFirst(family.prefix.count) }
    if family == .distilbert { result = Substring(fromDistilBERT(String(result))) }
    if result.hasSuffix(".gamma") { return result.dropLast(5) + "weight" }
    if result.hasSuffix(".beta") { return result.dropLast(4) + "bias" }
    return String(result)
  }

  /// DistilBERT's names and BERT's, without `.weight` and `.bias`.
  private static let distilbert: [(theirs: String, ours: String)] = [
    ("attention.q_lin", "attention.self.query"), ("attention.k_lin", "attention.self.key"),
    ("attention.v_lin", "attention.self.value"), ("attention.out_lin", "attention.output.dense"),
    ("sa_layer_norm", "attention.output.LayerNorm"), ("ffn.lin1", "intermediate.dense"),
    ("ffn.lin2", "output.dense"), ("output_layer_norm", "output.LayerNorm"),
  ]
  private static let distilbertHead: [(theirs: String, ours: String)] = [
    ("vocab_transform.", "cls.predictions.transform.dense."),
    ("vocab_layer_norm.", "cls.predictions.transform.LayerNorm."),
    ("vocab_projector.", "cls.predictions.decoder."),
  ]

  private static func fromDistilBERT(_ name: String) -> String {
    for (theirs, ours) in distilbertHead where name.hasPrefix(theirs) {
      return ours + name.dropFirst(theirs.count)
    }
    let layers = "transformer.layer."
    guard name.hasPrefix(layers) else { return name }
    let rest = name.dropFirst(layers.count)
    guard let dot = rest.firstIndex(of: ".") else { return name }
    let (layer, part) = (rest[..<dot], rest[rest.index(after: dot)...])
    for (theirs, ours) in distilbert where part.hasPrefix(theirs + ".") {
      return "encoder.layer.\(layer).\(ours)\(part.dropFirst(theirs.count))"
    }
    return "encoder.layer.\(layer).\(part)"
  }

  static let maskedTokenPrefix = "cls.predictions."
  static let bagOfWordsPrefix = "bag_of_words."
  static let tokenTypes = "embeddings.token_type_embeddings.weight"
  static let decoderWeight = "cls.predictions.decoder.weight"
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
