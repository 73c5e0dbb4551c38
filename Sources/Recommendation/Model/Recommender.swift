public import Checkpoints
public import Datasets
public import EncoderModel
import Foundation
public import Kernels

/// A fine-tuned model with its catalogue and its users' histories: ranks, scores and embeds.
///
///     var recommender = try Recommender.load(from: URL(fileURLWithPath: "checkpoints/shop-rec"))
///     try recommender.addItems(ItemTable(ids: IDTable(["new"]), texts: ["a blue enamel mug"]))
///     let lists = try recommender.rank(recommender.histories, k: 10, candidates: nil)
public struct Recommender: Sendable {
  /// The base encoder with its tokenizer.
  public let model: PretrainedModel
  /// The options of the run.
  public let options: FinetuneOptions
  /// What counted as positive.
  public let rule: PositiveRule
  /// Item ids, texts and feature columns; new items stand behind those of training.
  public private(set) var items: ItemTable
  /// Users of training.
  public let users: IDTable
  /// Training positives, (users, items).
  public private(set) var histories: SparseMatrix
  /// User features in training order, or nil.
  public let userFeatures: DenseMatrix?
  /// How item features become numbers.
  public let itemSchema: FeatureSchema?
  /// How user features become numbers.
  public let userSchema: FeatureSchema?
  /// How item vectors from elsewhere become inputs.
  public let vectorBlocks: [VectorBlock]
  /// Those inputs, (items, columns of all blocks); nil without blocks.
  public private(set) var vectorFeatures: DenseMatrix?
  /// How token states are pooled.
  public let pooling: TokenPooling
  /// Adapters, where they helped.
  public let adapters: AdapterStack<Float>?
  /// The models.
  public private(set) var models: FittedModels
  /// The catalogue's representations.
  public private(set) var space: ItemSpace
  /// The fusion.
  public let fusion: FusionWeights
  /// Turns scores into probabilities.
  public let calibration: PlattScaling
  /// Items of the training catalogue.
  public let trainedItemCount: Int
  /// Epochs of the run that made it; empty for a loaded model.
  public let records: [FinetuneRecord]
  /// What the run that made it measured inside its behaviours; nil for a loaded model.
  public let validation: Evaluation?
  /// Figures of the run.
  public let metrics: FinetuneMetrics
  /// What was read and dropped.
  public let report: DataReport

  init(
    model: PretrainedModel, options: FinetuneOptions, rule: PositiveRule, items: ItemTable,
    users: IDTable, histories: SparseMatrix, userFeatures: DenseMatrix?,
    itemSchema: FeatureSchema?, userSchema: FeatureSchema?, vectorBlocks: [VectorBlock] = [],
    vectorFeatures: DenseMatrix? = nil, pooling: TokenPooling,
    adapters: AdapterStack<Float>?, models: FittedModels, space: ItemSpace,
    fusion: FusionWeights, calibration: PlattScaling, metrics: FinetuneMetrics,
    report: DataReport, records: [FinetuneRecord] = [], validation: Evaluation? = nil
  ) {
    self.model = model
    self.options = options
    self.rule = rule
    self.items = items
    self.users = users
    self.histories = histories
    self.userFeatures = userFeatures
    self.itemSchema = itemSchema
    self.userSchema = userSchema
    self.vectorBlocks = vectorBlocks
    self.vectorFeatures = vectorFeatures
    self.pooling = pooling
    self.adapters = adapters
    self.models = models
    self.space = space
    self.fusion = fusion
    self.calibration = calibration
    trainedItemCount = items.count
    self.metrics = metrics
    self.report = report
    self.records = records
    self.validation = validation
  }

  /// Embeds new items by their text and features and appends them to the catalogue.
  ///
  /// No weight changes, and no other item's score.
  ///
  /// - Parameter vectors: the items' vectors from elsewhere, for each of ``vectorBlocks`` in order; none
  ///   leaves them missing.
  /// - Throws: ``RecommenderError`` for an id that the catalogue has already, and for other vectors than
  ///   those of training.
  public mutating func addItems(
    _ table: ItemTable, vectors: [ItemVectors] = [], workers: Workers
  ) throws {
    let added = try vectorBlocks.rows(of: vectors, for: table.ids)
    let text = embed(
      table.texts, features: DenseMatrix.beside(features(of: table), added), workers: workers)
    let old = space
    let counts = old.counts + [Float](repeating: 0, count: table.count)
    let words = models.words.transform(table.texts)
    let queries = (old.count..<counts.count).map { Int32($0) }
    let near = ItemSpace.neighbours(
      white: old.white.appending(text.white), words: old.words.appendingRows(words),
      queries: queries, counts: counts, workers: workers)
    try append(
      table, text: (text.raw, text.inputs, text.white, text.towers), words: words, near: near,
      vectors: added)
  }

  /// Appends items whose representations are known: rows over the catalogue with them in it.
  ///
  /// Without pooled vectors or tower inputs of the items no item has them afterwards. `vectors` are the rows for
  /// ``vectorFeatures``, where the model has those.
  ///
  /// - Throws: ``RecommenderError`` for an id that the catalogue has already.
  mutating func append(
    _ table: ItemTable,
    text: (raw: DenseMatrix?, inputs: DenseMatrix?, white: DenseMatrix, towers: DenseMatrix),
    words: SparseMatrix, near: ItemNeighbourhoods, vectors added: DenseMatrix? = nil
  ) throws {
    var ids = items.ids
    for id in table.ids.strings {
      guard ids.index(of: id) == nil else {
        throw RecommenderError(
          "the item is in the catalogue already: \(id); new items need ids of their own")
      }
      _ = ids.insert(id)
    }
    if let old = vectorFeatures {
      let rows = added ?? DenseMatrix(rowCount: table.count, columnCount: old.columnCount)
      vectorFeatures = old.appending(rows)
    }
    let old = space
    let total = old.count + table.count
    func joined(_ known: DenseMatrix, _ added: DenseMatrix?) -> DenseMatrix {
      added.map { known.appending($0) } ?? DenseMatrix(rowCount: total, columnCount: 0)
    }
    space = ItemSpace(
      raw: joined(old.raw, text.raw), inputs: joined(old.inputs, text.inputs),
      white: old.white.appending(text.white), words: old.words.appendingRows(words),
      towerVectors: old.towerVectors.appending(text.towers),
      counts: old.counts + [Float](repeating: 0, count: table.count),
      textNeighbours: old.textNeighbours.widened(to: total).appendingRows(near.text),
      wordNeighbours: old.wordNeighbours.widened(to: total).appendingRows(near.words),
      wordCosines: old.wordCosines.widened(to: total).appendingRows(near.cosines),
      kernelWeights: old.kernelWeights.widened(to: total).appendingRows(near.kernel))
    models = models.extended(by: table.count)
    histories = histories.widened(to: total)
    items = ItemTable(
      ids: ids, texts: items.texts + table.texts,
      features: FeatureTable.joined(
        items.features, rows: items.count, table.features, rows: table.count))
  }

  /// Vectors of texts: pooled by the base, whitened, and through the item tower.
  public func embed(
    _ texts: [String], features: DenseMatrix?, workers: Workers
  ) -> (raw: DenseMatrix, inputs: DenseMatrix, white: DenseMatrix, towers: DenseMatrix) {
    let sequences = model.tokenizer.encodeBatch(
      texts, maximumLength: maximumLength, threads: workers.count)
    func vectors(_ adapters: AdapterStack<Float>?) -> DenseMatrix {
      ItemTextEncoder(
        encoder: model.encoder, weights: model.weights, adapters: adapters, pooling: pooling
      ).vectors(sequences, workers: workers)
    }
    let raw = vectors(nil)
    let (assembly, rows) = (models.assembly, texts.count)
    let filled = features?.filledUp(workers)
    let base = assembly.inputs(raw: raw.filledUp(workers), features: filled, workers: workers)
    let inputs =
      adapters == nil
      ? base
      : assembly.inputs(
        raw: vectors(adapters).filledUp(workers), features: filled, workers: workers)
    return (
      raw, inputs.prefix(rows), assembly.whitened(base).prefix(rows),
      models.network.itemVectors(inputs, weights: models.towers, workers: workers).prefix(rows)
    )
  }

  /// The most tokens of a text that are looked at, [CLS] and [SEP] included.
  public var maximumLength: Int { min(options.maximumLength, model.sentence.maximumLength) }

  /// Item tower vectors of token sequences, (sequences, width); features count as missing.
  public func towerVectors(_ sequences: [[Int32]], workers: Workers) -> DenseMatrix {
    let encoder = ItemTextEncoder(
      encoder: model.encoder, weights: model.weights, adapters: adapters, pooling: pooling)
    let inputs = models.assembly.inputs(
      raw: encoder.vectors(sequences, workers: workers).filledUp(workers), features: nil,
      workers: workers)
    return models.network.itemVectors(inputs, weights: models.towers, workers: workers)
      .prefix(sequences.count)
  }

  /// Item tower vectors of texts with their features, (texts, width), as new items have them.
  ///
  /// Vectors from elsewhere count as missing.
  ///
  /// - Parameter table: a row a text; columns that it lacks count as missing, without it all do.
  public func towerVectors(
    _ texts: [String], features table: FeatureTable?, workers: Workers
  ) -> DenseMatrix {
    let known = itemSchema.flatMap { schema in table.map { schema.rows(of: $0) } }
    let width = vectorBlocks.totalWidth
    let missing = width > 0 ? DenseMatrix(rowCount: texts.count, columnCount: width) : nil
    return embed(
      texts, features: known.flatMap { DenseMatrix.beside($0, missing) }, workers: workers
    ).towers
  }

  /// The feature rows of a table under the training's schema; nil where training had no features.
  public func features(of table: ItemTable) -> DenseMatrix? {
    itemSchema.map { schema in
      schema.rows(of: table.features ?? FeatureTable(columns: [], rowCount: table.count))
    }
  }

  /// The fused scorer for users whose histories will be scored, row by row with their features.
  ///
  /// - Throws: `ALSError` when users can't be folded in.
  public func scorer(userFeatures: DenseMatrix?, workers: Workers) throws -> FusedScorer {
    try scorer(fusion: fusion, userFeatures: userFeatures, workers: workers)
  }

  /// The same with other weights.
  package func scorer(
    fusion: FusionWeights, userFeatures: DenseMatrix?, workers: Workers
  ) throws -> FusedScorer {
    FusedScorer(
      weights: fusion,
      parts: try models.scorers(
        fusion.parts, space: space,
        userFeatures: models.network.configuration.userInputs > 0 ? userFeatures : nil,
        workers: workers),
      counts: space.counts, referenceCount: trainedItemCount)
  }

  /// The best items for histories over ``items``.
  ///
  /// - Parameters:
  ///   - userFeatures: features of these users, (rows, userInputs); nil for none.
  ///   - k: the length of the lists.
  ///   - candidates: items that may be listed, ascending; nil allows all.
  ///   - excluding: (rows, items) entries that are left out, usually the histories.
  /// - Throws: `ALSError` when users can't be folded in.
  public func rank(
    _ histories: SparseMatrix, userFeatures: DenseMatrix? = nil, k: Int, candidates: [Int32]?,
    excluding: SparseMatrix? = nil, workers: Workers
  ) throws -> RankedLists {
    var features = userFeatures
    let width = models.network.configuration.userInputs
    if width > 0 && features == nil {
      features = DenseMatrix(rowCount: histories.rowCount, columnCount: width)
    }
    return TopK.rank(
      try scorer(userFeatures: features, workers: workers), histories: histories, k: k,
      candidates: candidates, excluding: excluding, workers: workers)
  }
}

/// What a fine-tuned model can't do, in one line.
public struct RecommenderError: Error, CustomStringConvertible, Equatable, Sendable {
  /// The message.
  public let description: String

  /// Creates an error.
  public init(_ description: String) { self.description = description }
}

extension DenseMatrix {
  /// With rows of zeros after these, so that few texts have the bits that they have among many.
  fileprivate func filledUp(_ workers: Workers) -> DenseMatrix {
    let fewest = SteadyRows.fewest(1, 1) * workers.count
    guard rowCount < fewest else { return self }
    return appending(DenseMatrix(rowCount: fewest - rowCount, columnCount: columnCount))
  }

  /// The first rows.
  fileprivate func prefix(_ rows: Int) -> DenseMatrix {
    guard rows < rowCount else { return self }
    return DenseMatrix(
      rowCount: rows, columnCount: columnCount, values: Array(values.prefix(rows * columnCount)))
  }
}
