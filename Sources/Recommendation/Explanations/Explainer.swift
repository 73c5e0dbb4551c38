public import Kernels

/// Explains scores of a recommender.
///
///     let explainer = Explainer(recommender, workers: workers)
///     let reasons = try explainer.explain(items, histories: histories, row: 0)
///
/// Three views of one score: its parts sum to it exactly; the history's items share the tower's score
/// between them exactly (the user vector is a weighted sum of theirs); the text's words share the
/// difference to a text of masked words by integrated gradients. What items and words really do is
/// checked by leaving them out.
public struct Explainer: Sendable {
  /// What an explanation contains.
  public struct Options: Sendable {
    /// Items of the history, at most.
    public var neighbours = 5
    /// Whether each of them is left out for its effect on the fused score.
    public var measuresEffects = true
    /// Whether words are attributed.
    public var words = true
    /// Points on the path of the integrated gradients: with 10 an attribution is within 2% of the text's largest of what
    /// it is with 128 (48 package descriptions; 10% with 6, 0.5% with 16).
    public var steps = 10
    /// Words of the strongest attributions, of either sign, that are deleted for their effect.
    public var checkedWords = 3

    /// Creates the defaults.
    public init() {}
  }

  let recommender: Recommender
  let options: Options
  let workers: Workers

  /// Creates an explainer for a recommender, new items included.
  public init(_ recommender: Recommender, options: Options = Options(), workers: Workers) {
    self.recommender = recommender
    self.options = options
    self.workers = workers
  }

  /// Explains the scores of some items for one user.
  ///
  /// - Parameters:
  ///   - items: numbers in the recommender's items.
  ///   - histories: (rows, items), as for ranking.
  ///   - row: the user's row.
  ///   - userFeatures: (rows, userInputs), or nil.
  /// - Throws: ``RecommenderError`` for an item that isn't there, `ALSError` when users can't be folded
  ///   in.
  public func explain(
    _ items: [Int32], histories: SparseMatrix, row: Int, userFeatures: DenseMatrix? = nil
  ) throws -> [Explanation] {
    for item in items where item < 0 || Int(item) >= recommender.items.count {
      throw RecommenderError(
        "there is no item number \(item) among \(recommender.items.count)")
    }
    let own = histories.selectingRows([Int32(row)])
    let width = recommender.models.network.configuration.userInputs
    let features =
      width > 0
      ? userFeatures.map { $0.selectingRows([Int32(row)]) }
        ?? DenseMatrix(rowCount: 1, columnCount: width) : nil
    let tower = HistoryContributions(recommender, history: own, features: features)
    let reasons = items.map { tower.reasons(for: $0, limit: options.neighbours) }
    let left =
      options.measuresEffects ? Set(reasons.flatMap { $0.map(\.item) }).sorted() : []
    let breakdown = try ScoreBreakdown(
      recommender, history: own, features: features, without: left, workers: workers)
    let parts = breakdown.parts(items)
    let effects =
      options.measuresEffects
      ? breakdown.effects(items, of: reasons.map { $0.map(\.item) }, full: parts.map(\.score))
      : []
    let attributor = WordAttributor(
      recommender, user: tower.user, steps: options.steps, checked: options.checkedWords,
      workers: workers)
    let words =
      options.words
      ? attributor.words(items) : [[Explanation.Word]](repeating: [], count: items.count)
    return items.enumerated().map { n, item in
      let history = reasons[n].enumerated().map { place, reason in
        Explanation.Reason(
          item: reason.item, similarity: reason.similarity, contribution: reason.contribution,
          share: reason.share, effect: effects.isEmpty ? nil : effects[n][place])
      }
      return Explanation(
        item: item, score: parts[n].score, parts: parts[n].parts, shift: parts[n].shift,
        towerScore: tower.score(item), history: history, towerRest: tower.rest(item),
        words: words[n])
    }
  }
}
