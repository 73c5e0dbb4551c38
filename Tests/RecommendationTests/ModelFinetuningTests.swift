import Datasets
import EncoderModel
import Foundation
import Kernels
import Recommendation
import TestSupport
import Testing

/// The whole of fine-tuning on a checkerboard, whose right answer is known.
@Suite struct ModelFinetuningTests {
  private let workers = Workers(count: 2)
  private let board = Checkerboard()

  private func split(warm: Double = 0.2) throws -> ColdSplit {
    var options = ColdSplit.Options()
    options.coldFraction = 0.25
    options.coldValidationFraction = 0
    options.warmFraction = warm
    return try ColdSplit.make(
      board.behaviors, positive: PositiveRule(threshold: 1), options: options)
  }

  @Test("With all behaviours on the other items, new ones are ranked without a mistake")
  func checkerboard() throws {
    let split = try split(warm: 0)
    let model = try Checkerboard.finetune(board.items, split.train, adapters: .bottleneck)
    #expect(model.metrics.coldNDCG > 0.99, "\(model.metrics)")
    #expect(model.metrics.coldParts["tower"] ?? 0 > 0.99, "\(model.metrics)")
    #expect(model.metrics.warmNDCG > 0.99, "\(model.metrics)")
    #expect(model.metrics.adapterValidation != nil)
    #expect(model.metrics.unknownShare == 0)
    let evaluation = try Evaluation.run(
      model, on: try EvaluationSplit(split, catalogue: model.items.ids), workers: workers)
    let ours = try #require(evaluation.methods.first)
    #expect(ours.name == Evaluation.modelName)
    #expect(ours.report[.cold]?["ndcg@20"]?.mean ?? 0 > 0.99)
    #expect(ours.report[.cold]?["auc"]?.mean ?? 0 > 0.99)
    #expect(ours.report[.warm]?.users == 0)
  }

  @Test("Held-out behaviours on known and on new items come first")
  func heldOutSplit() throws {
    let split = try split()
    let model = try Checkerboard.finetune(board.items, split.train)
    let evaluation = try Evaluation.run(
      model, on: try EvaluationSplit(split, catalogue: model.items.ids), workers: workers)
    let ours = try #require(evaluation.methods.first)
    #expect(ours.report[.cold]?["ndcg@20"]?.mean ?? 0 > 0.99)
    #expect(ours.report[.warm]?["ndcg@20"]?.mean ?? 0 > 0.99)
    #expect(evaluation.newUsers == 0 && evaluation.labels.isEmpty)
    // Chance ranks half of the cold items right.
    let random = try #require(evaluation.comparisons.first { $0.baseline == "random" })
    #expect(random.set == .cold && random.result.difference > 0.05 && random.result.p < 0.01)
  }

  @Test(
    "A written model scores the same, whatever of the encoder was tuned",
    arguments: AdapterKind.allCases)
  func writtenModelsScoreTheSame(_ kind: AdapterKind) throws {
    let model = try Checkerboard.finetune(board.items, try split().train, adapters: kind)
    #expect((model.metrics.adapterValidation == nil) == (kind == .none))
    #expect(model.records.contains { $0.stage == "adapters" } == (kind != .none))
    let folder = try Checkerboard.Folder()
    let target = folder.url.appendingPathComponent("model")
    try model.write(to: target, modelCard: "A model.\n", extras: [("training.jsonl", "{}\n")])
    let loaded = try Recommender.load(from: target, workers: workers)
    func scores(_ model: Recommender) throws -> [Float] {
      try model.scorer(userFeatures: nil, workers: workers)
        .scores(model.histories, workers: workers).values
    }
    #expect(try scores(loaded) == scores(model))
    #expect(loaded.fusion == model.fusion && loaded.calibration == model.calibration)
    #expect(loaded.items == model.items && loaded.users == model.users)
    #expect(loaded.metrics == model.metrics && loaded.options == model.options)
    #expect((loaded.adapters == nil) == (model.adapters == nil))
    if model.adapters != nil, [AdapterKind.lora, .ia3, .bitfit].contains(kind) {
      #expect(try namedBase(target.appendingPathComponent("adapter")) == "../base")
    }
    // What training of an update begins with gives the vectors that there are.
    let ready = loaded.withInputsOfAdapters(workers: workers)
    expectClose(
      ready.models.network.itemVectors(
        ready.space.inputs, weights: ready.models.towers, workers: workers
      ).values, model.space.towerVectors.values, absolute: 2e-3)
    let texts = ["the new sea3 item", "hill1 hill2"]
    #expect(
      loaded.embed(texts, features: nil, workers: workers).towers
        == model.embed(texts, features: nil, workers: workers).towers)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["model"],
      "nothing is left beside the model")
    // Writing again replaces the older version as a whole.
    try loaded.write(to: target, modelCard: "Another.\n")
    #expect(
      !FileManager.default.fileExists(atPath: target.appendingPathComponent("training.jsonl").path))
  }

  /// The base that PEFT's configuration names.
  private func namedBase(_ adapter: URL) throws -> String? {
    struct Config: Decodable { let baseModelNameOrPath: String? }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let url = adapter.appendingPathComponent("adapter_config.json")
    return try decoder.decode(Config.self, from: Data(contentsOf: url)).baseModelNameOrPath
  }

  @Test func newItemsAreRankedAndChangeNoOtherScore() throws {
    var model = try Checkerboard.finetune(board.items, try split().train)
    func scores() throws -> DenseMatrix {
      try model.scorer(userFeatures: nil, workers: workers)
        .scores(model.histories, workers: workers)
    }
    let before = try scores()
    let known = model.items.count
    try model.addItems(
      ItemTable(
        ids: IDTable(["at sea", "up hill"]),
        texts: ["the new item sea1 sea2 sea3", "the new item hill1 hill2 hill3"]),
      workers: workers)
    let after = try scores()
    #expect(after.columnCount == known + 2)
    for user in 0..<model.histories.rowCount {
      expectClose(
        Array(after.row(user).prefix(known)), Array(before.row(user)), absolute: 2e-4,
        "user \(user)")
      let (sea, hill) = (after[user, known], after[user, known + 1])
      #expect(user % 2 == 0 ? sea > hill : hill > sea, "user \(user)")
    }
    #expect(throws: RecommenderError.self) {
      try model.addItems(
        ItemTable(ids: IDTable(["item 3"]), texts: ["again"]), workers: workers)
    }
  }

  @Test("Texts with their columns have the catalogue's vectors, without them others")
  func vectorsOfTextsWithFeatures() throws {
    let (items, seasons) = (board.itemsWithSeasons, board.seasons)
    let model = try Checkerboard.finetune(items, try split().train)
    let known = model.space.towerVectors
    let found = model.towerVectors(items.texts, features: items.features, workers: workers)
    expectClose(found.values, known.values, absolute: 1e-4, "vectors")
    let plain = model.towerVectors(items.texts, features: nil, workers: workers)
    #expect(zip(plain.values, known.values).contains { abs($0 - $1) > 1e-3 })
    // A column that training didn't have changes nothing.
    let other = FeatureTable(
      columns: [.init(name: "colour", values: seasons)], rowCount: seasons.count)
    #expect(
      model.towerVectors(items.texts, features: other, workers: workers).values == plain.values)
  }

  @Test("Labels are predicted for new items and new users", arguments: [TowerLoss.bce, .mse])
  func labels(_ loss: TowerLoss) throws {
    let board = Checkerboard(labelled: true)
    var options = ColdSplit.Options()
    options.coldFraction = 0.25
    options.coldValidationFraction = 0
    let split = try ColdSplit.make(
      board.behaviors, positive: PositiveRule(threshold: 1), options: options)
    let model = try Checkerboard.finetune(board.items, split.train, loss: loss)
    var evaluationOptions = Evaluation.Options()
    evaluationOptions.baselines = []
    let evaluation = try Evaluation.run(
      model, on: try EvaluationSplit(split, catalogue: model.items.ids),
      options: evaluationOptions, workers: workers)
    #expect(evaluation.labels.map(\.set) == ["cold", "warm", "all"])
    let cold = try #require(evaluation.labels.first)
    if loss == .bce {
      let (ours, constant) = (
        try #require(cold.model.binary), try #require(cold.constant.binary)
      )
      #expect(ours.count == split.testCold.count)
      #expect(ours.accuracy > 0.85 && ours.f1 > 0.85 && ours.auc > 0.97, "\(ours)")
      #expect(constant.accuracy < 0.6 && constant.auc == 0.5)
    } else {
      let (ours, constant) = (
        try #require(cold.model.rating), try #require(cold.constant.rating)
      )
      #expect(ours.mse < 0.05 && ours.mae < 0.2)
      expectClose(constant.mse, 0.25, absolute: 0.01)
    }
  }

  @Test(
    "Users whom training didn't have are ranked for by their histories", arguments: [false, true])
  func newUsers(_ withFeatures: Bool) throws {
    let split = try split()
    let isKept = split.train.userIndex.map { $0 >= 4 }
    var table: UserTable?
    if withFeatures {
      let ids = (4..<(2 * Checkerboard.usersPerKind)).map { $0 }
      table = UserTable(
        ids: IDTable(ids.map { "user \($0)" }),
        features: FeatureTable(
          columns: [.init(name: "kind", values: ids.map { $0 % 2 == 0 ? "sea" : "hill" })],
          rowCount: ids.count))
    }
    var train = split.train.filtering(isKept)
    // The first four users have no number at all in the model.
    train.userIndex = train.userIndex.map { $0 - 4 }
    train.users = IDTable(split.train.users.strings.dropFirst(4))
    let model = try Checkerboard.finetune(board.items, train, users: table)
    #expect(model.users.index(of: "user 0") == nil)
    #expect((model.userFeatures != nil) == withFeatures)
    let evaluation = try Evaluation.run(
      model, on: try EvaluationSplit(split, catalogue: model.items.ids), workers: workers)
    #expect(evaluation.newUsers == 4)
    let ours = try #require(evaluation.methods.first)
    for result in ours.results where result.user < 4 {
      #expect(result[.cold]?.ndcg20 ?? 0 > 0.99, "user \(result.user)")
    }
    #expect(model.userFeatures?.columnCount ?? 0 == model.models.network.configuration.userInputs)
  }

  @Test func theSameSeedGivesTheSameModel() throws {
    let train = try split().train
    let (a, b) = (
      try Checkerboard.finetune(board.items, train, adapters: .bottleneck),
      try Checkerboard.finetune(board.items, train, adapters: .bottleneck)
    )
    #expect(a.space.towerVectors == b.space.towerVectors)
    #expect(a.fusion == b.fusion && a.calibration == b.calibration)
  }

  @Test func tooLittleDataIsAnError() throws {
    let rows = board.behaviors.selecting([0, 1, 2])
    #expect(throws: (any Error).self) { try Checkerboard.finetune(board.items, rows) }
  }
}
