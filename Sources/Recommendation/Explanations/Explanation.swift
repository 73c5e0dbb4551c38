/// Why a user's list has an item: the parts of its score, the history's items near it, its words.
///
/// Items are numbers in ``Recommender/items``. ``named(in:)`` gives the same with ids, for JSON.
public struct Explanation: Sendable, Equatable {
  /// What one model of the fusion adds to the score.
  public struct Part: Sendable, Equatable {
    /// The model.
    public let part: ScorePart
    /// Its weight for this item, between those for new and for known items.
    public let weight: Float
    /// Its standardised score for this pair.
    public let score: Float
    /// Weight times score.
    public let contribution: Float
  }

  /// An item of the history that speaks for, or against, the explained one.
  public struct Reason: Sendable, Equatable {
    /// The item of the history.
    public let item: Int32
    /// Cosine of the two items' tower vectors.
    public let similarity: Float
    /// What it adds to ``Explanation/towerScore``.
    public let contribution: Float
    /// Its contribution as a share of all items' absolute contributions, from -1 to 1.
    public let share: Float
    /// By how much the fused score falls when the item is taken out of the history; nil where that
    /// wasn't asked for.
    public let effect: Float?
  }

  /// A word of the item's text with what it adds to ``Explanation/towerScore``.
  public struct Word: Sendable, Equatable {
    /// The word as it stands in the text.
    public let word: String
    /// Integrated gradients of its pieces, summed.
    public let attribution: Float
    /// By how much the tower's score falls when the word is deleted from the text; nil for words that
    /// weren't tried.
    public let effect: Float?
  }

  /// The explained item.
  public let item: Int32
  /// The fused score.
  public let score: Float
  /// The parts, most important first; with ``shift`` they sum to the score.
  public let parts: [Part]
  /// The constant that scores of new items are shifted by.
  public let shift: Float
  /// The cosine of the user's and the item's tower vectors.
  public let towerScore: Float
  /// The nearest items of the history, by similarity.
  public let history: [Reason]
  /// What the tower's score owes to no item of the history: features and the constant.
  public let towerRest: Float
  /// The words of the text in its order; empty where they weren't asked for.
  public let words: [Word]
}

/// An ``Explanation`` with ids and texts in place of numbers, as JSON objects have it.
public struct NamedExplanation: Sendable, Codable, Equatable {
  /// A part of the score.
  public struct Part: Sendable, Codable, Equatable {
    /// The part's name.
    public let name: String
    /// See ``Explanation/Part/weight``.
    public let weight: Float
    /// See ``Explanation/Part/score``.
    public let score: Float
    /// See ``Explanation/Part/contribution``.
    public let contribution: Float
  }

  /// An item of the history.
  public struct Reason: Sendable, Codable, Equatable {
    /// Its id.
    public let itemID: String
    /// Its text.
    public let text: String
    /// See ``Explanation/Reason/similarity``.
    public let similarity: Float
    /// See ``Explanation/Reason/contribution``.
    public let contribution: Float
    /// See ``Explanation/Reason/share``.
    public let share: Float
    /// See ``Explanation/Reason/effect``.
    public let effect: Float?

    enum CodingKeys: String, CodingKey {
      case itemID = "item_id"
      case text, similarity, contribution, share, effect
    }
  }

  /// A word of the text.
  public struct Word: Sendable, Codable, Equatable {
    /// The word.
    public let word: String
    /// See ``Explanation/Word/attribution``.
    public let attribution: Float
    /// See ``Explanation/Word/effect``.
    public let effect: Float?
  }

  /// The item's id.
  public let itemID: String
  /// See ``Explanation/score``.
  public let score: Float
  /// See ``Explanation/parts``.
  public let parts: [Part]
  /// See ``Explanation/shift``.
  public let shift: Float
  /// See ``Explanation/towerScore``.
  public let towerScore: Float
  /// See ``Explanation/history``.
  public let history: [Reason]
  /// See ``Explanation/words``.
  public let words: [Word]

  enum CodingKeys: String, CodingKey {
    case itemID = "item_id"
    case score, parts, shift
    case towerScore = "tower_score"
    case history, words
  }
}

extension Explanation {
  /// The explanation with the ids and texts of a recommender's items.
  public func named(in recommender: Recommender) -> NamedExplanation {
    func id(_ item: Int32) -> String { recommender.items.ids[Int(item)] }
    return NamedExplanation(
      itemID: id(item), score: score,
      parts: parts.map {
        .init(
          name: $0.part.rawValue, weight: $0.weight, score: $0.score,
          contribution: $0.contribution)
      }, shift: shift, towerScore: towerScore,
      history: history.map {
        .init(
          itemID: id($0.item), text: recommender.items.texts[Int($0.item)],
          similarity: $0.similarity, contribution: $0.contribution, share: $0.share,
          effect: $0.effect)
      },
      words: words.map { .init(word: $0.word, attribution: $0.attribution, effect: $0.effect) })
  }
}
