import Checkpoints
import Datasets
import EncoderModel
public import Foundation
public import Kernels
import Tokenization

extension Recommender {
  /// Loads a fine-tuned model's directory: the version in use, see ``ModelVersions``.
  ///
  /// All sizes in its files are compared before they are used.
  ///
  /// - Throws: `CheckpointError` that names the file and what is wrong with it.
  public static func load(from directory: URL, workers: Workers) throws -> Recommender {
    let versions = ModelVersions(directory)
    return try loadVersion(from: versions.url(of: versions.current()), workers: workers)
  }

  /// Loads the model whose files stand in a folder itself.
  ///
  /// - Throws: `CheckpointError` that names the file and what is wrong with it.
  static func loadVersion(from directory: URL, workers: Workers) throws -> Recommender {
    let summary = try readSummary(directory)
    let base = directory.appendingPathComponent("base")
    let model = try PretrainedModel.load(from: base, storage: .mapping)
    let checksum = try RecommenderDirectory.checksum(
      base.appendingPathComponent("model.safetensors"))
    guard checksum == summary.baseChecksum else {
      throw CheckpointError(
        "the base isn't the one the model was fine-tuned with (\(summary.baseChecksum), this one is "
          + "\(checksum))", path: base.path, advice: "restore base/model.safetensors")
    }
    let adapters =
      summary.hasAdapters
      ? try AdapterDirectory.read(
        RecommenderDirectory.adapter(of: directory), model: model
      ).stack : nil
    let items = try ItemTable.load(from: directory.appendingPathComponent("items.csv"))
    let users = try column("users.csv", in: directory)
    let file = try SafeTensorsFile(directory.appendingPathComponent("catalogue.safetensors"))
    let pooling = TokenPooling(inverseDocumentFrequencies: try file.floats("piece_idf"))
    let whitening = Whitening(
      mean: try file.floats("whitening.mean"),
      matrix: try TensorStore.dense("whitening.matrix", file))
    let raw = try TensorStore.dense("raw", file)
    let histories = try TensorStore.sparse("histories", file)
    let columns = summary.itemSchema.map { schema in
      schema.rows(of: items.features ?? FeatureTable(columns: [], rowCount: items.count))
    }
    let vectorFeatures = try vectorFeatures(summary, items: items.count, file)
    let features = DenseMatrix.beside(columns, vectorFeatures)
    let assembly = ItemInputAssembly(
      whitening: whitening, rawWidth: raw.columnCount, featureWidth: features?.columnCount ?? 0)
    let inputs = assembly.inputs(raw: raw, features: features, workers: workers)
    let space = ItemSpace(
      raw: raw, inputs: inputs, white: assembly.whitened(inputs),
      words: try TensorStore.sparse("words", file),
      towerVectors: try TensorStore.dense("item_vectors", file),
      counts: try file.floats("counts"),
      textNeighbours: try TensorStore.sparse("neighbours.text", file),
      wordNeighbours: try TensorStore.sparse("neighbours.words", file),
      wordCosines: try TensorStore.sparse("neighbours.cosines", file),
      kernelWeights: try TensorStore.sparse("neighbours.kernel", file))
    let models = try loadModels(
      directory, summary, assembly, wordWeights: try file.floats("word_weights"))
    try check(
      space, models, histories, items: items.count, users: users.count,
      pieces: pooling.inverseDocumentFrequencies.count, model: model, file)
    let userFeatures =
      file["user_features"] == nil ? nil : try TensorStore.dense("user_features", file)
    return Recommender(
      model: model, options: summary.options, rule: summary.rule, items: items, users: users,
      histories: histories, userFeatures: userFeatures, itemSchema: summary.itemSchema,
      userSchema: summary.userSchema, vectorBlocks: summary.itemVectors ?? [],
      vectorFeatures: vectorFeatures, pooling: pooling, adapters: adapters, models: models,
      space: space, fusion: summary.fusion, calibration: summary.calibration,
      metrics: summary.metrics, report: summary.report)
  }

  /// The inputs from item vectors; nil without blocks.
  private static func vectorFeatures(
    _ summary: RecommenderSummary, items: Int, _ file: SafeTensorsFile
  ) throws -> DenseMatrix? {
    guard let blocks = summary.itemVectors, !blocks.isEmpty else { return nil }
    let matrix = try TensorStore.dense("vector_features", file)
    guard matrix.rowCount == items, matrix.columnCount == blocks.totalWidth else {
      throw TensorStore.damaged(
        "its shape is (\(matrix.rowCount), \(matrix.columnCount)) where (\(items), "
          + "\(blocks.totalWidth)) is needed", "vector_features", file)
    }
    return matrix
  }

  private static func readSummary(_ directory: URL) throws -> RecommenderSummary {
    let url = directory.appendingPathComponent(RecommenderDirectory.summaryName)
    guard RecommenderDirectory.isRecommender(directory) else {
      throw CheckpointError(
        "the folder holds no fine-tuned model", path: directory.path,
        advice: "run encoder finetune first, or name its output by --model")
    }
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    do {
      let summary = try decoder.decode(RecommenderSummary.self, from: Data(contentsOf: url))
      guard summary.formatVersion == 1 else {
        throw CheckpointError(
          "format version \(summary.formatVersion) is unknown", path: url.path,
          item: "format_version", advice: "use the version of encoder that wrote it")
      }
      return summary
    } catch let error as DecodingError {
      throw CheckpointError(
        "not valid (\(error))", path: url.path, advice: "restore the file, or fine-tune again")
    }
  }

  private static func column(_ name: String, in directory: URL) throws -> IDTable {
    let reader = try DelimitedReader(path: directory.appendingPathComponent(name).path)
    var ids = IDTable()
    while try reader.next() { _ = ids.insert(reader.field(0)) }
    return ids
  }

  private static func loadModels(
    _ directory: URL, _ summary: RecommenderSummary, _ assembly: ItemInputAssembly,
    wordWeights: [Float]
  ) throws -> FittedModels {
    let file = try SafeTensorsFile(directory.appendingPathComponent("collaborative.safetensors"))
    let factors = try TensorStore.dense("als.items", file)
    let ease = try TensorStore.sparse("ease", file)
    guard ease.rowCount == ease.columnCount else {
      throw TensorStore.damaged("item-item weights aren't square", "ease", file)
    }
    var ridge: RidgeRegression?
    if file["ridge.coefficients"] != nil {
      let coefficients = try TensorStore.dense("ridge.coefficients", file)
      let means = (try file.floats("ridge.input_mean"), try file.floats("ridge.output_mean"))
      guard means.0.count == coefficients.rowCount, means.1.count == coefficients.columnCount,
        coefficients.columnCount == factors.columnCount
      else { throw TensorStore.damaged("sizes don't agree", "ridge.coefficients", file) }
      ridge = RidgeRegression(
        inputMean: means.0, outputMean: means.1, coefficients: coefficients)
    }
    let network = TowerNetwork(summary.tower)
    let towers = ParameterStore<Float>(network.table)
    _ = try TrainingState.read(
      TowerConfiguration.self, sections: [.init("towers", towers)],
      from: directory.appendingPathComponent("towers.safetensors"))
    let terms = try column("words.csv", in: directory).strings
    return FittedModels(
      ease: ItemWeights(weights: ease, keptShare: summary.easeKeptShare),
      easePenalty: summary.easePenalty,
      als: ImplicitALS(
        options: summary.als,
        userFactors: DenseMatrix(rowCount: 0, columnCount: factors.columnCount),
        itemFactors: factors),
      ridge: ridge, words: try TFIDF(options: summary.words, terms: terms, weights: wordWeights),
      assembly: assembly, network: network, towers: towers)
  }

  private static func check(
    _ space: ItemSpace, _ models: FittedModels, _ histories: SparseMatrix, items: Int, users: Int,
    pieces: Int, model: PretrainedModel, _ file: SafeTensorsFile
  ) throws {
    let facts: [(String, Int, Int)] = [
      ("raw", space.raw.rowCount, items), ("counts", space.counts.count, items),
      ("words", space.words.rowCount, items),
      ("words", space.words.columnCount, models.words.termCount),
      ("item_vectors", space.towerVectors.rowCount, items),
      ("item_vectors", space.towerVectors.columnCount, models.network.configuration.width),
      ("neighbours.text", space.textNeighbours.rowCount, items),
      ("neighbours.text", space.textNeighbours.columnCount, items),
      ("neighbours.words", space.wordNeighbours.rowCount, items),
      ("neighbours.words", space.wordNeighbours.columnCount, items),
      ("neighbours.cosines", space.wordCosines.rowCount, items),
      ("neighbours.cosines", space.wordCosines.columnCount, items),
      ("neighbours.kernel", space.kernelWeights.rowCount, items),
      ("neighbours.kernel", space.kernelWeights.columnCount, items),
      ("histories", histories.rowCount, users), ("histories", histories.columnCount, items),
      ("ease", models.ease.itemCount, items),
      ("als.items", models.als.itemFactors.rowCount, items),
      ("raw", space.raw.columnCount, 2 * model.configuration.hiddenSize),
      ("whitening.mean", models.assembly.whitening.mean.count, space.raw.columnCount),
      ("piece_idf", pieces, model.configuration.vocabularySize),
      ("item_vectors", models.network.configuration.itemInputs, models.assembly.width),
    ]
    for (name, actual, expected) in facts where actual != expected {
      throw TensorStore.damaged(
        "a size is \(actual) where \(expected) is needed", name, file)
    }
  }
}
