import Datasets
import EncoderModel
import Kernels

extension Finetuner {
  /// Trains and fits this run's recipe on the ground of a run with the same data, encoder and seed.
  ///
  /// - Throws: as ``run(_:)`` does.
  package func ablated(on ground: FinetuneGround) throws -> AblationFit {
    precondition(
      without.isDisjoint(with: [.rawInputs, .whiteInputs]) || options.adapterKind == .none,
      "adapters learn through all inputs")
    var own = ground
    own.text.inputs = own.text.assembly.narrowed(own.text.inputs, without: without)
    // The other run's towers may have other sizes and parts.
    own.models.network = makeNetwork(own.text, own.data)
    own.models.towers = ParameterStore(own.models.network.table)
    let found = try fit(&own)
    return AblationFit(run: self, ground: own, found: found)
  }
}

/// What a recipe reached; NDCG@20 on warm items that played cold, where nothing else is said.
package struct AblationFigures: Sendable, Codable, Equatable {
  /// The towers alone; nil where the fusion was fitted without them, as for the next.
  package var tower: Double?
  /// EASE's scores by local kernel ridge regression alone.
  package var textKernel: Double?
  /// The fusion.
  package var fusion: Double
  /// The fusion on held-out positives of warm items.
  package var warm: Double
  /// The fusion on both kinds of items in one list.
  package var balanced: Double
  /// The fusion on a split's cold items for tuning, which no choice of the run has seen.
  package var kept: Double?
  /// The towers on frozen vectors, where adapters were trained, and the best that they reached with them.
  package var frozenTower: Double?
  package var adaptedTower: Double?
  /// Whether the fusion has the adapters.
  package var keepsAdapters: Bool
  /// Numbers in towers and adapters that learned.
  package var parameters: Int
  /// Epochs of the towers until their best validation.
  package var epochs: Int
}

/// A recipe trained and fitted on the inner division, whose fusion can be fitted again from fewer parts.
package struct AblationFit {
  let run: Finetuner
  let ground: FinetuneGround
  let found: FinetuneFit

  /// What the recipe reached; `kept` is the split whose cold items for tuning are the second judge.
  ///
  /// - Throws: `ALSError` when users can't be folded in.
  package func figures(kept: EvaluationSplit?) throws -> AblationFigures {
    try figures(found.fusion, kept)
  }

  /// The same with a fusion that parts are left out of; nothing is trained again.
  ///
  /// - Throws: `ALSError` when users can't be folded in.
  package func figures(
    leavingOut parts: [ScorePart], kept: EvaluationSplit?
  ) throws -> AblationFigures {
    let all = ground.models.scoreParts
    var fitter = run.fusionFitter(ground, found.space)
    fitter.sizedFor = all
    return try figures(fitter.fit(parts: all.filter { !parts.contains($0) }), kept)
  }

  private func figures(
    _ fusion: FusionFitter.Result, _ kept: EvaluationSplit?
  ) throws -> AblationFigures {
    let (state, adapters) = (found.towers.state, found.towers.stores.adapters)
    let learning = ground.models.network.table.entries.filter(\.isTrainable)
    return AblationFigures(
      tower: fusion.coldParts[.tower], textKernel: fusion.coldParts[.textKernel],
      fusion: fusion.coldNDCG, warm: fusion.warmNDCG, balanced: fusion.balancedNDCG,
      kept: try kept.map { try ndcg(on: $0, fusion.weights) },
      frozenTower: adapters == nil ? nil : state.frozenValidation,
      adaptedTower: state.adapterValidation, keepsAdapters: state.keepsAdapters,
      parameters: learning.reduce(0) { $0 + $1.count } + (adapters?.weights.count ?? 0),
      epochs: state.bestEpochs)
  }

  /// NDCG@20 of the cold items of a split among themselves, for at most 2,000 users.
  ///
  /// The models have learned from the inner division's training positives alone: the figure isn't that of
  /// the recommender that a whole run would end with.
  private func ndcg(on split: EvaluationSplit, _ weights: FusionWeights) throws -> Double {
    let users = split.evaluated
      .filter { !split.coldPositives.columns(ofRow: Int($0)).isEmpty }
      .map { (portableHash("validation|\(split.users[Int($0)])"), $0) }
      .sorted { $0 < $1 }.prefix(2000).map(\.1)
    let (space, workers) = (found.space, run.workers)
    let scorer = FusedScorer(
      weights: weights,
      parts: try ground.models.scorers(
        weights.parts, space: space, userFeatures: nil, workers: workers),
      counts: space.counts, referenceCount: space.count)
    let lists = TopK.rank(
      scorer, histories: split.train.selectingRows(users), k: 20, candidates: split.coldItems,
      workers: workers)
    return lists.meanNDCG(users, relevant: split.coldPositives)
  }
}
