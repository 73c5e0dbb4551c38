/// Which of an encoder's parameters are fine-tuned, and what is added to it for that.
public enum AdapterKind: String, Sendable, Codable, CaseIterable {
  /// None: what stands on top of the encoder learns on frozen vectors.
  case none
  /// Bottlenecks behind the feed-forward blocks (Pfeiffer et al. 2020), AdapterHub's `seq_bn`.
  case bottleneck
  /// Bottlenecks behind both blocks of a layer (Houlsby et al. 2019), AdapterHub's `double_seq_bn`.
  case houlsby
  /// Bottlenecks beside the feed-forward blocks (He et al. 2021), AdapterHub's `par_bn`.
  case parallel
  /// Low-rank changes of the query and value projections (Hu et al. 2021).
  case lora
  /// Factors of keys, values and feed-forward activations (Liu et al. 2022), PEFT's (IA)3.
  case ia3
  /// All biases (Ben Zaken et al. 2021).
  case bitfit
  /// Every weight.
  case full

  /// AdamW's learning rate that suits the kind.
  ///
  /// What starts at the identity and has few parameters takes large steps; a whole encoder forgets what
  /// it knows unless its steps are some ten times smaller.
  public var learningRate: Double {
    switch self {
    case .none, .bottleneck, .houlsby, .parallel: 5e-4
    case .lora, .bitfit: 1e-3
    case .ia3: 5e-3
    case .full: 5e-5
    }
  }

  /// Whether the result can be folded into the encoder's own weights.
  public var isMergeable: Bool {
    switch self {
    case .none, .bottleneck, .houlsby, .parallel: false
    case .lora, .ia3, .bitfit, .full: true
    }
  }
}

/// What a new adapter is made of; sizes that its kind doesn't have are ignored.
public struct AdapterRecipe: Sendable, Equatable {
  /// The kind.
  public var kind: AdapterKind
  /// The adapter's name, a part of tensor names.
  public var name: String
  /// How many of the upper layers are adapted; ``AdapterKind/full`` takes all, and the embeddings.
  public var layers: Int
  /// Width of bottlenecks.
  public var bottleneck: Int
  /// Rank of low-rank changes.
  public var rank: Int
  /// LoRA's alpha: changes are scaled by alpha / rank.
  public var alpha: Double

  /// Creates a recipe.
  public init(
    kind: AdapterKind, name: String = "item", layers: Int = 2, bottleneck: Int = 64, rank: Int = 8,
    alpha: Double = 16
  ) {
    self.kind = kind
    self.name = name
    self.layers = layers
    self.bottleneck = bottleneck
    self.rank = rank
    self.alpha = alpha
  }
}
