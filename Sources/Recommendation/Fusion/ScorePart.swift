/// The models whose scores are fused, by the names that reports and `recommender.json` use.
public enum ScorePart: String, Sendable, Codable, CaseIterable, Comparable {
  /// Item-item weights (EASE); says nothing of items without behaviours.
  case ease
  /// Factors of implicit ALS; says nothing of items without behaviours.
  case als
  /// Number of behaviours an item has.
  case popularity
  /// EASE's scores spread over neighbours in whitened text space.
  case textSpread = "text_spread"
  /// EASE's scores regressed on text and words by kernel ridge regression among neighbours.
  case textKernel = "text_kernel"
  /// EASE's scores spread over neighbours by TF-IDF words.
  case wordSpread = "word_spread"
  /// Cosine between the whitened text vectors of an item and of the history.
  case textProfile = "text_profile"
  /// Summed similarity by TF-IDF words to the history's items.
  case wordNeighbours = "word_neighbours"
  /// ALS factors predicted from text by ridge regression.
  case ridge
  /// The fine-tuned towers.
  case tower

  /// Whether the part scores an item by its text, so that a new item has a score too.
  public var scoresNewItems: Bool {
    switch self {
    case .ease, .als, .popularity: false
    default: true
    }
  }

  /// Orders parts by name.
  public static func < (a: ScorePart, b: ScorePart) -> Bool { a.rawValue < b.rawValue }
}
