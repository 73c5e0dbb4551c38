/// The kinds of model that are a BERT encoder in all but the names of keys and tensors.
enum ModelFamily {
  case bert
  /// BERT without token types (Sanh and others 2019); its table of token types is read as zeros.
  case distilbert
  /// BERT's encoder trained as a discriminator (Clark and others 2020), where its embeddings are as wide
  /// as its hidden states.
  case electra

  /// The family of a `model_type`, or of the class in `architectures` where that is missing.
  init(type: String?, architecture: String?, refuse: (String, String) -> CheckpointError) throws {
    switch type {
    case "bert": self = .bert
    case "distilbert": self = .distilbert
    case "electra": self = .electra
    case let type?:
      let reason = ModelFamily.reasons.first { $0.type == type }?.reason
      throw refuse(
        "model type \(type) isn't supported" + (reason.map { " (\($0))" } ?? ""), "model_type")
    case nil:
      let families: [(String, ModelFamily)] = [
        ("Bert", .bert), ("DistilBert", .distilbert), ("Electra", .electra),
      ]
      guard let architecture else {
        self = .bert
        return
      }
      guard let family = families.first(where: { architecture.hasPrefix($0.0) })?.1 else {
        throw refuse("\(architecture) isn't supported", "architectures")
      }
      self = family
    }
  }

  /// Why the encoders that people try most can't be read as a BERT.
  private static let reasons: [(type: String, reason: String)] = [
    ("roberta", "its positions begin behind the padding id and its vocabulary is byte-level BPE"),
    (
      "xlm-roberta", "its positions begin behind the padding id and its vocabulary is SentencePiece"
    ),
    ("camembert", "its vocabulary is SentencePiece"),
    ("mpnet", "its attention has relative positions"),
    ("albert", "its layers share one set of weights and its vocabulary is SentencePiece"),
    ("deberta", "its attention has relative positions"),
    ("deberta-v2", "its attention has relative positions"),
    ("modernbert", "it has rotary positions and pre-normalised layers"),
    ("nomic_bert", "it has rotary positions and gated layers"),
    ("new", "it has rotary positions and gated layers"),
    ("mobilebert", "its layers have bottlenecks of their own"),
    ("t5", "its attention has relative positions and its vocabulary is SentencePiece"),
  ]

  /// The prefix of the encoder's tensors in the classes with a head.
  var prefix: String {
    switch self {
    case .bert: "bert."
    case .distilbert: "distilbert."
    case .electra: "electra."
    }
  }
}
