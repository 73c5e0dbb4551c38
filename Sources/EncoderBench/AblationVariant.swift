import EncoderModel
import Recommendation

/// A change of the fine-tuning recipe: something is taken away, or something else is put in its place.
///
/// All but those about adapters leave the encoder as it is, which is the recipe's result where adapters gain
/// too little.
struct AblationVariant {
  let name: String
  /// What is different, in a few words.
  let meaning: String
  /// Parts of the recipe that it goes without.
  let without: FinetuneAblation
  /// Scores that the fusion of the default recipe is fitted again without.
  let leavesOut: [ScorePart]
  /// Whether it learns from rows with labels: the positives, and as many drawn pairs that aren't.
  let drawsNegatives: Bool
  /// What it changes in the options.
  let change: (inout FinetuneOptions) -> Void

  private init(
    _ name: String, _ meaning: String, without: FinetuneAblation = [],
    leavesOut: [ScorePart] = [], drawsNegatives: Bool = false,
    change: @escaping (inout FinetuneOptions) -> Void = { _ in }
  ) {
    self.name = name
    self.meaning = meaning
    self.without = without
    self.leavesOut = leavesOut
    self.drawsNegatives = drawsNegatives
    self.change = change
  }

  /// The recipe that the others are compared with.
  static var standard: AblationVariant { AblationVariant("default", "the recipe, no adapters") }

  /// All variants, those first that need no training of their own.
  static var all: [AblationVariant] {
    [standard] + fusions + inputs + userTowers + losses + sizes + adapters
  }

  private static var fusions: [AblationVariant] {
    let single = ScorePart.allCases.map { part in
      AblationVariant(
        "without-" + part.rawValue.split(separator: "_").joined(separator: "-"),
        "the fusion without \(part.rawValue)", leavesOut: [part])
    }
    return single + [
      AblationVariant(
        "only-neighbours", "the fusion without towers and without ridge regression to factors",
        leavesOut: [.tower, .ridge])
    ]
  }

  private static var inputs: [AblationVariant] {
    [
      AblationVariant(
        "even-pooling", "token states pooled evenly, never by idf", without: [.idfPooling]),
      AblationVariant("raw-only", "no whitened vectors in the item tower", without: [.whiteInputs]),
      AblationVariant("white-only", "no raw vectors in the item tower", without: [.rawInputs]),
      AblationVariant(
        "raw-neighbours", "neighbours and their kernel by raw vectors",
        without: [.whiteNeighbours]),
      AblationVariant("no-input-dropout", "no dropout on the item tower's inputs") {
        $0.towers.inputDropout = 0
      },
    ]
  }

  private static var userTowers: [AblationVariant] {
    [
      AblationVariant(
        "mean-history", "histories pooled by their mean, no attention", without: [.attention]),
      AblationVariant(
        "no-item-embeddings", "histories of texts alone", without: [.itemEmbeddings]),
      AblationVariant("no-embedding-dropout", "history embeddings never dropped in training") {
        $0.towers.embeddingDropout = 0
      },
    ]
  }

  private static var losses: [AblationVariant] {
    [
      AblationVariant("no-logq", "sampled softmax without its correction", without: [.logQ]),
      AblationVariant("few-negatives", "16 uniform negatives beside those of the batch, not 512") {
        $0.towers.negatives = 16
      },
      AblationVariant("loss-bpr", "Bayesian personalised ranking") { $0.towers.loss = .bpr },
      AblationVariant(
        "loss-bce", "cross-entropy on positives and as many drawn pairs", drawsNegatives: true
      ) { $0.towers.loss = .bce },
    ]
  }

  private static var sizes: [AblationVariant] {
    [
      AblationVariant("hidden-64", "64 hidden units in the item tower, not 256") {
        $0.towers.hidden = 64
      },
      AblationVariant("hidden-512", "512 hidden units in the item tower, not 256") {
        $0.towers.hidden = 512
      },
      AblationVariant("width-64", "tower vectors of width 64, not 128") { $0.towers.width = 64 },
      AblationVariant("width-256", "tower vectors of width 256, not 128") {
        $0.towers.width = 256
      },
    ]
  }

  private static var adapters: [AblationVariant] {
    let kinds: [AdapterKind] = [.bottleneck, .lora, .full]
    return kinds.map { kind in
      AblationVariant(kind.rawValue, "the encoder tuned by --adapter \(kind.rawValue)") {
        $0.adapterKind = kind
      }
    }
  }
}
