import Checkpoints
import Datasets
import EncoderModel
internal import Foundation
import Kernels
import Recommendation
import Tokenization

/// A recommender of 30 items and 12 users, made in a second: what its directory holds is changed.
enum TinyRecommender {
  /// Fine-tunes it and writes it to `directory`.
  static func write(to directory: URL) throws {
    BLAS.useSingleThread()
    let words = (0..<12).map { "word\($0)" }
    let vocabulary = try Vocabulary(tokens: SpecialTokens().all + words)
    let model = try PretrainedModel.create(
      configuration: EncoderConfiguration(
        vocabularySize: vocabulary.count, hiddenSize: 8, layerCount: 1, headCount: 1,
        intermediateSize: 8, maximumPositions: 16, initializerRange: 0.1),
      tokenizer: Tokenizer(vocabulary: vocabulary), seed: 7)
    var options = FinetuneOptions()
    options.towers.width = 4
    options.towers.hidden = 4
    options.towers.batch = 16
    options.towers.negatives = 4
    options.towers.maximumEpochs = 1
    options.adapterKind = .none
    let recommender = try Finetuner(model: model, options: options).run(input())
    try recommender.write(to: directory, modelCard: "A tiny model.\n")
  }

  private static func input() -> FinetuneInput {
    var generator = SeededGenerator(seed: 3)
    let ids = IDTable((0..<30).map { "item \($0)" })
    let texts = (0..<30).map { item in
      (0..<5).map { _ in "word\(generator.uniform(below: 6) + (item % 2) * 6)" }
        .joined(separator: " ")
    }
    let kinds = (0..<30).map { $0 % 2 == 0 ? "a" : "b" }
    let vectors = ItemVectors(
      name: "images", ids: ids,
      vectors: DenseMatrix(
        rowCount: 30, columnCount: 2, values: (0..<60).map { _ in Float(generator.normal()) }))
    var rows = Behaviors(
      users: IDTable((0..<12).map { "user \($0)" }), items: ids, userIndex: [], itemIndex: [],
      labels: [])
    for user in 0..<12 {
      for item in 0..<30 where (user + item) % 2 == 0 && generator.uniform(below: 4) > 0 {
        rows.userIndex.append(Int32(user))
        rows.itemIndex.append(Int32(item))
        rows.labels.append(1)
      }
    }
    return FinetuneInput(
      items: ItemTable(
        ids: ids, texts: texts,
        features: FeatureTable(columns: [.init(name: "kind", values: kinds)], rowCount: 30)),
      behaviors: rows,
      users: UserTable(
        ids: rows.users,
        features: FeatureTable(
          columns: [.init(name: "kind", values: (0..<12).map { $0 % 2 == 0 ? "a" : "b" })],
          rowCount: 12)),
      rule: PositiveRule(threshold: 1), report: DataReport(), itemVectors: [vectors])
  }
}

extension FuzzTarget {
  /// The directory of a recommender, one file of which is changed at a time; `directory` is where the
  /// unchanged one is, or is made.
  static func recommender(in directory: URL) throws -> FuzzTarget {
    if !RecommenderDirectory.isRecommender(directory) { try TinyRecommender.write(to: directory) }
    let files = [
      "recommender.json", "catalogue.safetensors", "collaborative.safetensors",
      "towers.safetensors", "items.csv", "users.csv", "words.csv",
    ]
    let workers = Workers(count: 1)
    return FuzzTarget(
      "recommender", seeds: try seeds(files, of: directory), companions: directory,
      read: { url in
        let model = try Recommender.load(from: url.deletingLastPathComponent(), workers: workers)
        _ = try model.rank(
          model.histories, userFeatures: model.userFeatures, k: 3, candidates: nil,
          excluding: model.histories, workers: workers)
        _ = model.embed(["word1 word2"], features: nil, workers: workers)
      })
  }
}
