import Datasets
import Kernels

extension Evaluation {
  /// What fine-tuning measured inside its behaviours: the fusion beside each of its parts alone.
  ///
  /// The weights of the fusion were chosen on these users, so the figures flatter it a little; held-out
  /// rows that no stage has seen are what ``run(_:on:options:workers:progress:)`` takes.
  ///
  /// - Parameters:
  ///   - models: fitted to the positives that the split leaves for training.
  ///   - space: the items with the counts of those positives.
  /// - Throws: ``EvaluationError`` when no user can be evaluated, `ALSError` when users can't be folded in.
  static func inner(
    _ inner: InnerSplit, models: FittedModels, space: ItemSpace, fusion: FusionWeights,
    calibration: PlattScaling, data: FinetuneData, seed: UInt64, workers: Workers
  ) throws -> Evaluation {
    // Some 20 million scores a method at most.
    let limit = max(50, min(600, 10_000_000 / max(1, space.count)))
    let split = try EvaluationSplit(
      inner, users: data.users, items: data.items.ids, limit: limit)
    var evaluation = Evaluation(split: split)
    let features = data.userFeatures?.selectingRows(split.evaluated)
    func scorer(_ weights: FusionWeights) throws -> FusedScorer {
      FusedScorer(
        weights: weights,
        parts: try models.scorers(
          weights.parts, space: space, userFeatures: features, workers: workers),
        counts: space.counts, referenceCount: space.count)
    }
    let fused = try scorer(fusion)
    evaluation.methods.append(split.judge(modelName, fused, seed: seed, workers: workers))
    evaluation.calibration = split.calibration(fused) { calibration.probability($0) }
    for part in ScorePart.allCases where part != .ridge || models.ridge != nil {
      let alone = try models.scorers(
        [part], space: space, userFeatures: features, workers: workers)
      guard let scorer = alone.first?.scorer else { continue }
      evaluation.methods.append(
        split.judge(part.rawValue, scorer, seed: seed, workers: workers))
    }
    var options = Options()
    options.seed = seed
    evaluation.compare(options, workers)
    return evaluation
  }
}
