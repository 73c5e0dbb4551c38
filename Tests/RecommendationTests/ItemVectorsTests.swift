import Checkpoints
import Datasets
import EncoderModel
import Foundation
import Kernels
import Recommendation
import TestSupport
import Testing

/// Vectors from elsewhere as inputs of the item tower.
@Suite struct ItemVectorsTests {
  private let workers = Workers(count: 2)

  /// Items whose texts say nothing, and vectors that say which of two topics they are about.
  private func blindBoard() -> (items: ItemTable, behaviors: Behaviors, vectors: ItemVectors) {
    let board = Checkerboard()
    let texts = board.items.texts.indices.map { "the item \($0 % 3 == 0 ? "sea0" : "hill0")" }
    let items = ItemTable(ids: board.items.ids, texts: texts)
    return (items, board.behaviors, vectors(of: items.ids.strings.indices.map { $0 % 2 == 0 }))
  }

  /// (30 + noise, 5) or (32 + noise, 5): a large mean, which must not drown the difference.
  private func vectors(of isSea: [Bool], prefix: String = "item ") -> ItemVectors {
    var generator = SeededGenerator(seed: 5)
    var values: [Float] = []
    for sea in isSea {
      values += [(sea ? 30 : 32) + 0.2 * Float(generator.normal()), 5]
    }
    return ItemVectors(
      name: "images", ids: IDTable(isSea.indices.map { "\(prefix)\($0)" }),
      vectors: DenseMatrix(rowCount: isSea.count, columnCount: 2, values: values))
  }

  private func finetune(_ adapters: AdapterKind = .none) throws -> Recommender {
    BLAS.useSingleThread()
    let (items, behaviors, vectors) = blindBoard()
    return try Finetuner(
      model: try Checkerboard.encoder(), options: Checkerboard.options(.softmax, adapters)
    ).run(
      FinetuneInput(
        items: items, behaviors: behaviors, users: nil, rule: PositiveRule(threshold: 1),
        report: DataReport(), itemVectors: [vectors]))
  }

  @Test("Where texts say nothing, vectors place new items, in a model read back too")
  func newItems() throws {
    let made = try finetune()
    let folder = try Checkerboard.Folder()
    let target = folder.url.appendingPathComponent("model")
    try made.write(to: target, modelCard: "A model.\n")
    var model = try Recommender.load(from: target, workers: workers)
    #expect(model.vectorBlocks == made.vectorBlocks && model.vectorFeatures == made.vectorFeatures)
    #expect(model.space.towerVectors == made.space.towerVectors)
    let known = model.items.count
    let text = "the item new"
    try model.addItems(
      ItemTable(ids: IDTable(["new 0", "new 1", "blank"]), texts: [text, text, text]),
      vectors: [vectors(of: [true, false], prefix: "new ")], workers: workers)
    let scores = try model.scorer(userFeatures: nil, workers: workers)
      .scores(model.histories, workers: workers)
    for user in 0..<model.histories.rowCount {
      let (sea, hill) = (scores[user, known], scores[user, known + 1])
      #expect(user % 2 == 0 ? sea > hill : hill > sea, "user \(user): \(sea) \(hill)")
    }
    // An item without a vector has zeros and says so.
    let features = try #require(model.vectorFeatures)
    #expect(Array(features.row(known + 2)) == [0, 0, 0])
    #expect(features[known, 2] == 1)
  }

  @Test("Columns lose their means and share one scale")
  func standardised() throws {
    let features = try #require(try finetune().vectorFeatures)
    var (sums, squares) = ([0.0, 0.0], 0.0)
    for row in 0..<features.rowCount {
      for d in 0..<2 {
        sums[d] += Double(features[row, d])
        squares += Double(features[row, d] * features[row, d])
      }
    }
    let rows = Double(features.rowCount)
    expectClose(sums.map { $0 / rows }, [0, 0], absolute: 1e-5)
    expectClose(squares / (2 * rows), 1, absolute: 1e-4)
  }

  @Test func otherVectorsAreRefused() throws {
    var model = try finetune()
    let items = ItemTable(ids: IDTable(["new 0"]), texts: ["the item"])
    let wide = ItemVectors(
      name: "wide", ids: IDTable(["new 0"]), vectors: DenseMatrix(rowCount: 1, columnCount: 3))
    #expect(throws: RecommenderError.self) {
      try model.addItems(items, vectors: [wide], workers: workers)
    }
    let two = vectors(of: [true], prefix: "new ")
    #expect(throws: RecommenderError.self) {
      try model.addItems(items, vectors: [two, two], workers: workers)
    }
    // Nothing was added by what failed, and no vectors at all are fine.
    try model.addItems(items, workers: workers)
    var plain = try Checkerboard.finetune(Checkerboard().items, Checkerboard().behaviors)
    #expect(throws: RecommenderError.self) {
      try plain.addItems(items, vectors: [two], workers: workers)
    }
  }

  @Test func filesWithIDs() throws {
    let folder = try Checkerboard.Folder()
    let url = folder.url.appendingPathComponent("images.npy")
    func write(_ ids: [String], _ value: Float = 1) throws {
      var writer = try VectorFormat(url).writer(to: url, width: 2, hasIDs: true)
      for id in ids {
        try [value, 2].withUnsafeBufferPointer { try writer.append($0, ids: [id]) }
      }
      try writer.finish()
    }
    try write(["a", "b"])
    let read = try ItemVectors.load(from: url)
    #expect(read.name == "images" && read.ids.strings == ["a", "b"])
    #expect(read.vectors.values == [1, 2, 1, 2])
    try write(["a", "a"])
    #expect(throws: CheckpointError.self) { try ItemVectors.load(from: url) }
    try write([])
    #expect(throws: CheckpointError.self) { try ItemVectors.load(from: url) }
  }
}
