import Kernels
public import Metrics

/// How well predicted labels fit held-out rows, beside a constant prediction.
public struct LabelEvaluation: Sendable {
  /// Which rows: `cold`, `warm` or `all`.
  public let set: String
  /// The model's metrics: decisions at probability 0.5, or ratings.
  public let model: LabelMetrics
  /// Those of the mean label of the training rows, the same for every row.
  public let constant: LabelMetrics
  /// The model's predictions beside the labels.
  public let curve: CalibrationCurve
}

extension Recommender {
  /// Judges the labels of a model that was fine-tuned on labels; empty for ranking losses.
  ///
  /// Users are known by the split's training positives. With labels 0 and 1 rows of other labels are
  /// left out, with ratings those of the label for "not rated".
  func labelEvaluations(on split: EvaluationSplit, workers: Workers) -> [LabelEvaluation] {
    guard options.towers.loss.isPointwise else { return [] }
    let isBinary = options.towers.loss == .bce
    func isLabel(_ label: Float) -> Bool {
      isBinary ? label == 0 || label == 1 : label != rule.unratedLabel
    }
    let train = split.trainLabels.filter(isLabel).map { Double($0) }
    let mean = train.reduce(0, +) / Double(max(1, train.count))
    let scorer = PairScorer(
      network: models.network, weights: models.towers, itemVectors: space.towerVectors,
      embeddingRows: models.embeddingRows(space), histories: split.train,
      userFeatures: features(of: split.users), workers: workers)
    var both = TowerData.LabelledRows()
    for rows in [split.coldRows, split.warmRows] {
      both.users += rows.users
      both.items += rows.items
      both.labels += rows.labels
    }
    let scores = scorer.scores(both)
    let coldCount = split.coldRows.count
    return [("cold", 0..<coldCount), ("warm", coldCount..<both.count), ("all", 0..<both.count)]
      .compactMap { name, range in
        let places = range.filter { isLabel(both.labels[$0]) }
        guard !places.isEmpty else { return nil }
        let labels = places.map { Double(both.labels[$0]) }
        let found = places.map { place -> Double in
          let score = Double(scores[place])
          return isBinary ? calibration.probability(score) : score
        }
        return LabelEvaluation(
          set: name, model: LabelMetrics(found, labels, isBinary: isBinary),
          constant: LabelMetrics(labels.map { _ in mean }, labels, isBinary: isBinary),
          curve: CalibrationCurve(
            name, isBinary ? .probability : .rating, predictions: found, truths: labels))
      }
  }
}

extension LabelMetrics {
  fileprivate init(_ predictions: [Double], _ labels: [Double], isBinary: Bool) {
    if isBinary {
      self.init(
        binary: BinaryLabelMetrics(
          probabilities: predictions, isTrue: labels.map { $0 > 0.5 }, threshold: 0.5))
    } else {
      self.init(rating: RatingMetrics(predictions: predictions, targets: labels))
    }
  }
}
