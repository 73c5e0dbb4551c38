import Datasets
import EncoderModel
import Kernels

extension Recommender {
  /// A copy over other items, users, histories or models.
  ///
  /// Its whole catalogue counts as that of training.
  func replacing(
    items: ItemTable? = nil, users: IDTable? = nil, histories: SparseMatrix? = nil,
    userFeatures: DenseMatrix?, adapters: AdapterStack<Float>? = nil,
    models: FittedModels? = nil, space: ItemSpace? = nil, fusion: FusionWeights? = nil,
    report: DataReport? = nil
  ) -> Recommender {
    Recommender(
      model: model, options: options, rule: rule, items: items ?? self.items,
      users: users ?? self.users,
      histories: histories ?? self.histories, userFeatures: userFeatures,
      itemSchema: itemSchema, userSchema: userSchema, vectorBlocks: vectorBlocks,
      vectorFeatures: vectorFeatures, pooling: pooling,
      adapters: adapters ?? self.adapters, models: models ?? self.models,
      space: space ?? self.space, fusion: fusion ?? self.fusion, calibration: calibration,
      metrics: metrics, report: report ?? self.report)
  }

  /// A copy with other weights of the fusion.
  package func withFusion(_ weights: FusionWeights) -> Recommender {
    replacing(userFeatures: userFeatures, fusion: weights)
  }

  /// The collaborative models over other histories.
  ///
  /// EASE is solved again from all of them. ALS keeps the factors of items nobody touched: users are
  /// solved for against the present items, then the touched items against those users (one half-step of
  /// alternating least squares each). The regression from text follows.
  ///
  /// - Parameters:
  ///   - touched: items with other behaviours than before, ascending.
  ///   - penalty: EASE's.
  /// - Throws: `EASEError`, `ALSError`.
  func refittingCollaborative(
    users: IDTable, histories: SparseMatrix, userFeatures: DenseMatrix?, touched: [Int32],
    penalty: Double, workers: Workers
  ) throws -> Recommender {
    let fitter = CollaborativeFitter(workers: workers, seed: options.seed)
    var models = models
    models.ease = try fitter.ease(histories, penalty: penalty)
    models.easePenalty = penalty
    let userFactors = try models.als.userFoldIn(workers: workers)
      .factors(histories, workers: workers)
    models.als = try models.als.refitting(
      items: touched, users: userFactors, histories: histories, workers: workers)
    if models.ridge != nil {
      models.ridge =
        try fitter.ridge(
          models.als, users: userFactors, positives: histories, white: space.white,
          items: items.ids) ?? models.ridge
    }
    var space = space
    space.counts = histories.columnSums()
    let near = ItemSpace.neighbours(
      white: space.white, words: space.words, queries: (0..<Int32(space.count)).map { $0 },
      counts: space.counts, workers: workers)
    (space.textNeighbours, space.wordNeighbours) = (near.text, near.words)
    (space.wordCosines, space.kernelWeights) = (near.cosines, near.kernel)
    return replacing(
      users: users, histories: histories, userFeatures: userFeatures, models: models,
      space: space)
  }

  /// EASE's penalty: that of the run, or chosen again for a model that doesn't say it.
  ///
  /// - Throws: what fitting throws.
  func easePenalty(workers: Workers) throws -> Double {
    if let penalty = models.easePenalty { return penalty }
    let split = try InnerSplit(histories, users: users, items: items.ids, seed: options.seed)
    return try CollaborativeFitter(workers: workers, seed: options.seed)
      .choosePenalty(split, names: users)
  }
}

extension ImplicitALS {
  /// Solves for some items' factors by the users that have them; the other items keep theirs.
  ///
  /// The result has no user factors: users are folded in.
  ///
  /// - Parameters:
  ///   - items: ascending.
  ///   - users: factors of the histories' users, (users, factors).
  /// - Throws: ``ALSError``.
  package func refitting(
    items touched: [Int32], users: DenseMatrix, histories: SparseMatrix, workers: Workers
  ) throws -> ImplicitALS {
    var factors = itemFactors
    let solver = try ImplicitALS(options: options, userFactors: users, itemFactors: itemFactors)
      .itemFoldIn(workers: workers)
    let solved = try solver.factors(
      histories.transposed().selectingRows(touched), workers: workers)
    factors.replaceRows(touched, with: solved, rowCount: factors.rowCount)
    return ImplicitALS(
      options: options,
      userFactors: DenseMatrix(rowCount: 0, columnCount: itemFactors.columnCount),
      itemFactors: factors)
  }
}
