import Checkpoints
import Datasets
import EncoderModel
import Foundation
import Kernels
import Recommendation
import Tokenization

/// Texts of two topics and users of two kinds, who have all items of their topic: a new item's text says
/// everything about who wants it.
struct Checkerboard {
  static let itemsPerTopic = 24
  static let usersPerKind = 16

  let items: ItemTable
  let behaviors: Behaviors

  /// A value for each item that says nothing about who wants it.
  var seasons: [String] {
    items.texts.indices.map { ($0 / 2) % 2 == 0 ? "spring" : "autumn" }
  }

  /// The items with their seasons as a column.
  var itemsWithSeasons: ItemTable {
    ItemTable(
      ids: items.ids, texts: items.texts,
      features: FeatureTable(
        columns: [.init(name: "season", values: seasons)], rowCount: items.count))
  }

  /// `labelled` adds rows of label 0 on the other topic's items.
  init(labelled: Bool = false) {
    var generator = SeededGenerator(seed: 3)
    var texts: [String] = []
    for item in 0..<(2 * Checkerboard.itemsPerTopic) {
      let topic = item % 2 == 0 ? "sea" : "hill"
      let words = (0..<6).map { _ in "\(topic)\(generator.uniform(below: 12))" }
      texts.append((words + ["the", "item"]).joined(separator: " "))
    }
    let ids = IDTable((0..<texts.count).map { "item \($0)" })
    items = ItemTable(ids: ids, texts: texts)
    var rows = Behaviors(
      users: IDTable((0..<(2 * Checkerboard.usersPerKind)).map { "user \($0)" }), items: ids,
      userIndex: [], itemIndex: [], labels: [])
    for user in 0..<(2 * Checkerboard.usersPerKind) {
      for item in 0..<texts.count where labelled || user % 2 == item % 2 {
        rows.userIndex.append(Int32(user))
        rows.itemIndex.append(Int32(item))
        rows.labels.append(user % 2 == item % 2 ? 1 : 0)
      }
    }
    behaviors = rows
  }

  /// A random encoder of two layers whose vocabulary has the texts' words.
  static func encoder() throws -> PretrainedModel {
    let words = ["sea", "hill"].flatMap { topic in (0..<12).map { "\(topic)\($0)" } }
    let vocabulary = try Vocabulary(
      tokens: SpecialTokens().all + ["the", "item", "new"] + words)
    return try PretrainedModel.create(
      configuration: EncoderConfiguration(
        vocabularySize: vocabulary.count, hiddenSize: 16, layerCount: 2, headCount: 2,
        intermediateSize: 32, maximumPositions: 32, initializerRange: 0.1),
      tokenizer: Tokenizer(vocabulary: vocabulary), seed: 7)
  }

  /// Options for a run of seconds.
  static func options(_ loss: TowerLoss, _ adapters: AdapterKind) -> FinetuneOptions {
    var options = FinetuneOptions()
    options.towers.loss = loss
    options.towers.width = 16
    options.towers.hidden = 16
    options.towers.batch = 64
    options.towers.negatives = 16
    options.towers.maximumEpochs = 8
    options.towers.learningRate = 5e-3
    options.adapters.bottleneck = 4
    options.adapters.layers = 1
    options.adapters.negatives = 8
    options.adapterKind = adapters
    options.threads = 2
    return options
  }

  /// Fine-tunes on some behaviours.
  static func finetune(
    _ items: ItemTable, _ behaviors: Behaviors, loss: TowerLoss = .softmax,
    adapters: AdapterKind = .none, users: UserTable? = nil
  ) throws -> Recommender {
    BLAS.useSingleThread()
    return try Finetuner(model: try encoder(), options: options(loss, adapters)).run(
      FinetuneInput(
        items: items, behaviors: behaviors, users: users, rule: PositiveRule(threshold: 1),
        report: DataReport()))
  }

  /// A folder that vanishes with the object.
  final class Folder {
    let url: URL

    init() throws {
      url = FileManager.default.temporaryDirectory.appendingPathComponent(
        "encoder-recommender-\(UUID().uuidString)", isDirectory: true)
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }
  }
}
