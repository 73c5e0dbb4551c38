import Checkpoints
import Datasets
import EncoderModel
import Kernels
import Metrics

extension Recommender {
  /// Puts the results of fine-tuning together.
  init(
    model: PretrainedModel, options: FinetuneOptions, input: FinetuneInput, data: FinetuneData,
    text: TextStage.Result, models: FittedModels, space: ItemSpace,
    fusion: FusionFitter.Result, towers: TowerStage.Result, validation: Evaluation
  ) {
    var metrics = FinetuneMetrics()
    metrics.coldNDCG = fusion.coldNDCG
    metrics.warmNDCG = fusion.warmNDCG
    metrics.balancedNDCG = fusion.balancedNDCG
    func named(_ parts: [ScorePart: Double]) -> [String: Double] {
      Dictionary(uniqueKeysWithValues: parts.map { ($0.key.rawValue, $0.value) })
    }
    metrics.coldParts = named(fusion.coldParts)
    metrics.warmParts = named(fusion.warmParts)
    metrics.towerEpochs = towers.state.bestEpochs
    metrics.frozenValidation = towers.state.frozenValidation ?? 0
    metrics.adapterValidation = towers.state.adapterValidation
    metrics.adapterParameters = towers.stores.adapters?.weights.count
    metrics.unknownShare = text.unknownShare
    var calibration = fusion.calibration
    switch options.towers.loss {
    case .bce:
      calibration = PlattScaling.fit(
        towers.heldScores.map {
          .init(score: Double($0.score), isPositive: $0.label > 0.5, weight: 1)
        })
      metrics.labels = LabelMetrics(
        binary: BinaryLabelMetrics(
          probabilities: towers.heldScores.map { calibration.probability(Double($0.score)) },
          isTrue: towers.heldScores.map { $0.label > 0.5 }))
    case .mse:
      metrics.labels = LabelMetrics(
        rating: RatingMetrics(
          predictions: towers.heldScores.map { Double($0.score) },
          targets: towers.heldScores.map { Double($0.label) }))
    case .softmax, .bpr: break
    }
    self.init(
      model: model, options: options, rule: input.rule, items: input.items, users: data.users,
      histories: data.positives, userFeatures: data.userFeatures, itemSchema: data.itemSchema,
      userSchema: data.userSchema, vectorBlocks: data.vectorBlocks,
      vectorFeatures: data.vectorFeatures, pooling: text.pooling, adapters: text.adapters,
      models: models, space: space, fusion: fusion.weights, calibration: calibration,
      metrics: metrics, report: input.report, records: towers.state.records,
      validation: validation)
  }
}

extension FittedModels {
  /// The models over a catalogue with `count` more items, of which the collaborative ones know nothing.
  func extended(by count: Int) -> FittedModels {
    var result = self
    let total = ease.itemCount + count
    let empty = SparseMatrix(
      trustedRowCount: count, columnCount: total, offsets: [Int](repeating: 0, count: count + 1),
      columns: [], values: [])
    result.ease = ItemWeights(
      weights: ease.weights.widened(to: total).appendingRows(empty), keptShare: ease.keptShare)
    let width = als.itemFactors.columnCount
    result.als = ImplicitALS(
      options: als.options, userFactors: als.userFactors,
      itemFactors: als.itemFactors.appending(DenseMatrix(rowCount: count, columnCount: width)))
    return result
  }
}

extension DenseMatrix {
  /// These rows, then those of another matrix of the same width.
  func appending(_ other: DenseMatrix) -> DenseMatrix {
    precondition(
      columnCount == other.columnCount, "rows of \(columnCount) and \(other.columnCount) elements")
    return DenseMatrix(
      rowCount: rowCount + other.rowCount, columnCount: columnCount,
      values: values + other.values)
  }
}

extension SparseMatrix {
  /// The same entries with more columns.
  func widened(to columns: Int) -> SparseMatrix {
    precondition(columns >= columnCount, "\(columns) columns for \(columnCount)")
    return SparseMatrix(
      trustedRowCount: rowCount, columnCount: columns, offsets: offsets, columns: self.columns,
      values: values)
  }

  /// These rows, then those of another matrix of the same width.
  func appendingRows(_ other: SparseMatrix) -> SparseMatrix {
    precondition(
      columnCount == other.columnCount, "rows of \(columnCount) and \(other.columnCount) columns")
    return SparseMatrix(
      trustedRowCount: rowCount + other.rowCount, columnCount: columnCount,
      offsets: offsets + other.offsets.dropFirst().map { $0 + entryCount },
      columns: columns + other.columns, values: values + other.values)
  }
}

extension FeatureTable {
  /// The rows of two tables under the columns of the first; a column that one lacks is empty there.
  static func joined(
    _ a: FeatureTable?, rows: Int, _ b: FeatureTable?, rows more: Int
  ) -> FeatureTable? {
    guard let a else { return nil }
    return FeatureTable(
      columns: a.columns.map { column in
        let added =
          b?.column(named: column.name)?.values ?? [String](repeating: "", count: more)
        return .init(name: column.name, values: column.values + added)
      }, rowCount: rows + more)
  }
}
