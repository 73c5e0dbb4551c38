import Datasets
import Foundation
import Kernels
import Recommendation
import TestSupport
import Testing

/// Updates, versions and forgetting on a checkerboard of which the model saw a part.
@Suite struct UpdatingTests {
  private let workers = Workers(count: 2)
  private let board = Checkerboard()

  /// Every third behaviour came after the model was made, so did users 28 to 31.
  private func parts() -> (old: Behaviors, new: Behaviors) {
    let rows = board.behaviors
    let isOld = (0..<rows.count).map {
      rows.userIndex[$0] < 28 && (Int(rows.userIndex[$0]) + Int(rows.itemIndex[$0]) / 2) % 3 != 0
    }
    var old = rows.filtering(isOld)
    old.users = IDTable(rows.users.strings.prefix(28))
    var new = rows.filtering(isOld.map { !$0 })
    new.timestamps = (0..<new.count).map { Double(($0 * 7919) % 1000) }
    return (old, new)
  }

  private func options() -> UpdateOptions {
    var options = UpdateOptions()
    options.minimumUsers = 3
    options.heldShare = 0.2
    options.adapterSteps = 4
    return options
  }

  private func written(_ folder: Checkerboard.Folder) throws -> (URL, Recommender) {
    let model = try Checkerboard.finetune(board.items, parts().old, adapters: .bottleneck)
    let target = folder.url.appendingPathComponent("model")
    try model.write(
      to: target, modelCard: "A model.\n", extras: [("training.jsonl", "{}\n")])
    return (target, model)
  }

  @Test("New behaviours, users and items are in the next version, and judged by the newest ones")
  func update() throws {
    let folder = try Checkerboard.Folder()
    let (target, model) = try written(folder)
    let versions = ModelVersions(target)
    #expect(try versions.current() == "original" && versions.names() == ["original"])
    var new = parts().new
    // One row of an item that came since, one of an item that nobody knows.
    new.items.insert("at sea")
    new.items.insert("unknown")
    let item = try #require(new.items.index(of: "at sea"))
    for number in [item, item + 1] {
      new.userIndex.append(0)
      new.itemIndex.append(Int32(number))
      new.labels.append(1)
      new.timestamps?.append(0)
    }
    let report = try versions.update(options: options(), workers: workers) { _ in
      UpdateInput(
        behaviors: new,
        items: ItemTable(
          ids: IDTable(["item 3", "at sea"]),
          texts: [board.items.texts[3], "the new item sea1 sea2 sea3"]))
    }
    #expect(report.rows == new.count && report.unknownItemRows == 1)
    #expect(report.newPositives == new.count - 1)
    #expect(report.newUsers == 4 && report.newItems == 1 && report.changedItems == 0)
    #expect(report.heldOut == Int(0.2 * Double(new.count - 1)))
    #expect(
      report.stages.map(\.name)
        == ["collaborative", "towers", "adapters"].prefix(report.stages.count).map { $0 })
    #expect(report.isAccepted && report.version == "v1" && report.parent == "original")
    let (before, after) = (try #require(report.currentNDCG), try #require(report.updatedNDCG))
    #expect(after >= before - (try #require(report.standardError)))
    #expect(try versions.current() == "v1" && versions.names() == ["original", "v1"])
    #expect(try versions.report(of: "v1") == report)

    let updated = try Recommender.load(from: target, workers: workers)
    #expect(updated.users.count == 32 && updated.items.count == board.items.count + 1)
    #expect(updated.histories.entryCount == model.histories.entryCount + report.newPositives)
    #expect(updated.space.counts == updated.histories.columnSums())
    let place = try #require(updated.items.ids.index(of: "at sea"))
    #expect(updated.space.counts[place] == 1)
    // A user of the second kind whom training didn't know gets items of that kind.
    let user = try #require(updated.users.index(of: "user 31"))
    let history = updated.histories.selectingRows([Int32(user)])
    let list = try updated.rank(history, k: 5, candidates: nil, workers: workers)
    #expect(list.items(ofRow: 0).allSatisfy { $0 % 2 == 1 })

    try versions.use("original")
    let back = try Recommender.load(from: target, workers: workers)
    #expect(back.users.count == 28 && back.histories == model.histories)
    #expect(throws: RecommenderError.self) { try versions.use("v9") }
    #expect(throws: RecommenderError.self) { try versions.use("../model") }
  }

  @Test("A known item with another text or another value is represented as a new one would be")
  func changedItems() throws {
    let (items, seasons) = (board.itemsWithSeasons, board.seasons)
    let model = try Checkerboard.finetune(items, parts().old, adapters: .bottleneck)
    // Item 4 gets a text of the other topic, item 5 the other season; item 6 stays, whatever its colour.
    let text = "the new item hill1 hill2 hill3"
    let newer = ItemTable(
      ids: IDTable(["item 6", "item 5", "item 4"]), texts: [items.texts[6], items.texts[5], text],
      features: FeatureTable(
        columns: [
          .init(name: "colour", values: ["red", "red", "red"]),
          .init(name: "season", values: [seasons[6], "autumn", seasons[4]]),
        ], rowCount: 3))
    var options = options()
    options.isForced = true
    options.epochs = 0
    let result = try ModelUpdater(options: options, workers: workers)
      .run(model, UpdateInput(behaviors: parts().new, items: newer))
    #expect(result.report.newItems == 0 && result.report.changedItems == 2)
    let updated = try #require(result.model)
    #expect(updated.items.ids == items.ids && updated.items.texts[4] == text)
    #expect(updated.items.features?.column(named: "season")?.values[5] == "autumn")

    var grown = model
    try grown.addItems(
      ItemTable(
        ids: IDTable(["four", "five"]), texts: [text, items.texts[5]],
        features: FeatureTable(
          columns: [.init(name: "season", values: [seasons[4], "autumn"])], rowCount: 2)),
      workers: workers)
    let (found, expected) = (updated.space, grown.space)
    for (item, new) in [(4, items.count), (5, items.count + 1)] {
      let pairs: [(String, DenseMatrix, DenseMatrix)] = [
        ("raw", found.raw, expected.raw), ("inputs", found.inputs, expected.inputs),
        ("white", found.white, expected.white),
        ("tower", found.towerVectors, expected.towerVectors),
      ]
      for (name, a, b) in pairs {
        expectClose(
          Array(a.row(item)), Array(b.row(new)), absolute: 1e-4, "\(name) of item \(item)")
      }
      #expect(found.words.columns(ofRow: item) == expected.words.columns(ofRow: new))
    }
    #expect(found.towerVectors.row(5) != model.space.towerVectors.row(5))
    #expect(found.raw.row(6) == model.space.raw.row(6))
    // By words it has left the lists of its old topic, as a candidate too.
    let near = found.wordNeighbours
    #expect(!near.columns(ofRow: 4).isEmpty)
    #expect(near.columns(ofRow: 4).allSatisfy { $0 % 2 == 1 })
    for item in stride(from: 6, to: items.count, by: 2) {
      #expect(!near.columns(ofRow: item).contains(4), "item \(item)")
    }
  }

  @Test func theSameSeedGivesTheSameVersion() throws {
    let model = try Checkerboard.finetune(board.items, parts().old, adapters: .bottleneck)
    let updater = ModelUpdater(options: options(), workers: workers)
    let (a, b) = (
      try updater.run(model, UpdateInput(behaviors: parts().new)),
      try updater.run(model, UpdateInput(behaviors: parts().new))
    )
    #expect(a.report == b.report)
    #expect(a.model?.space.towerVectors == b.model?.space.towerVectors)
    #expect(a.model?.models.als == b.model?.models.als)
  }

  @Test("By hand: differences -0.1, 0.1, -0.3 have mean -0.1 and standard error 0.2 / sqrt 3")
  func pairedJudgement() {
    let judgement = PairedJudgement([0.5, 0.5, 0.5], [0.4, 0.6, 0.2])
    expectClose(judgement.before, 0.5, absolute: 1e-12)
    expectClose(judgement.after, 0.4, absolute: 1e-12)
    expectClose(judgement.standardError, 0.115470, absolute: 1e-6)
    #expect(judgement.isNotWorse(tolerance: 1) && !judgement.isNotWorse(tolerance: 0.8))
    #expect(!judgement.isNotWorse(tolerance: 0))
    #expect(PairedJudgement([0.5], [0.5]).isNotWorse(tolerance: 0))
    #expect(PairedJudgement([], []).isNotWorse(tolerance: 0))
  }

  @Test func trainingThatHarmsIsLeftOut() throws {
    let model = try Checkerboard.finetune(board.items, parts().old)
      .withFusion(FusionWeights(cold: [.tower: 1], warm: [.tower: 1]))
    var harmful = options()
    harmful.rateFactor = 1000
    let result = try ModelUpdater(options: harmful, workers: workers)
      .run(model, UpdateInput(behaviors: parts().new))
    let towers = try #require(result.report.stages.first { $0.name == "towers" })
    #expect(towers.after < towers.before && !towers.kept, "\(towers)")
    // The towers are those of before.
    #expect(result.model?.space.towerVectors == model.space.towerVectors)
  }

  @Test("A result that counts as worse leaves every file as it was")
  func worseIsNotWritten() throws {
    let folder = try Checkerboard.Folder()
    let (target, _) = try written(folder)
    let versions = ModelVersions(target)
    let before = try FileManager.default.subpathsOfDirectory(atPath: target.path).sorted()
    var options = options()
    options.tolerance = -.infinity  // nothing is that much better
    let report = try versions.update(options: options, workers: workers) { _ in
      UpdateInput(behaviors: parts().new)
    }
    #expect(!report.isAccepted && report.version == nil)
    #expect(try versions.current() == "original" && versions.names() == ["original"])
    let after = try FileManager.default.subpathsOfDirectory(atPath: target.path)
    #expect(after.filter { $0 != ".update.lock" }.sorted() == before)
  }

  @Test func oldVersionsGoAndTheOneInUseStays() throws {
    let folder = try Checkerboard.Folder()
    let (target, model) = try written(folder)
    let versions = ModelVersions(target)
    let places = folder.url.appendingPathComponent("model/versions")
    try FileManager.default.createDirectory(at: places, withIntermediateDirectories: true)
    for n in 1...11 {
      try model.write(to: places.appendingPathComponent("v\(n)"), modelCard: "")
    }
    // A killed update's leftover isn't a version.
    try FileManager.default.createDirectory(
      at: places.appendingPathComponent("v12.tmp/base"), withIntermediateDirectories: true)
    #expect(try versions.names() == ["original"] + (1...11).map { "v\($0)" })
    #expect(try versions.nextName() == "v12")
    try versions.use("v2")
    try versions.removeOld(keeping: 3)
    #expect(try versions.names() == ["original", "v2", "v10", "v11"])
    try versions.locked { () -> Void in
      #expect(throws: RecommenderError.self) { try ModelVersions(target).locked {} }
    }
    #expect(!FileManager.default.fileExists(atPath: places.appendingPathComponent("v12.tmp").path))
    try Data("nothing\n".utf8).write(to: target.appendingPathComponent("current"))
    #expect(throws: (any Error).self) { try Recommender.load(from: target, workers: workers) }
  }

  @Test(
    "A forgotten user is in no version and no file, the others' rows stay",
    arguments: [false, true])
  func forget(_ refitting: Bool) throws {
    let folder = try Checkerboard.Folder()
    let (target, model) = try written(folder)
    let versions = ModelVersions(target)
    let copy = target.appendingPathComponent("versions/v1")
    try FileManager.default.createDirectory(
      at: copy.deletingLastPathComponent(), withIntermediateDirectories: true)
    let page = [(RecommenderReport.fileName, "Among them: what one user had.")]
    try model.write(to: copy, modelCard: "A version.\n", extras: page)
    // A version that never had the user, and the page that evaluate leaves in the original's folder.
    try model.forgetting(user: "user 3", refitting: false, workers: workers).write(
      to: target.appendingPathComponent("versions/v2"), modelCard: "", extras: page)
    try Data("what one user had".utf8).write(
      to: target.appendingPathComponent(RecommenderReport.fileName))
    try versions.use("v1")
    #expect(throws: RecommenderError.self) {
      try versions.forget(user: "nobody", refitting: refitting, workers: workers)
    }
    #expect(try reports(below: target).count == 3, "nobody was forgotten")
    let report = try versions.forget(user: "user 3", refitting: refitting, workers: workers)
    #expect(report.versions == ["v1", "original"])
    #expect(report.removedReports == ["original", "v1", "v2"])
    #expect(try reports(below: target).isEmpty)
    let own = try #require(model.users.index(of: "user 3"))
    let count = model.histories.columns(ofRow: own).count
    #expect(report.behaviors == [count, count])
    #expect(report.remaining.contains("towers") && report.remaining.contains("ease") == !refitting)
    #expect(try versions.current() == "v1")
    for name in ["original", "v1"] {
      try versions.use(name)
      let left = try Recommender.load(from: target, workers: workers)
      #expect(left.users.index(of: "user 3") == nil && left.users.count == model.users.count - 1)
      #expect(left.histories.entryCount == model.histories.entryCount - count)
      #expect(left.space.counts == left.histories.columnSums())
      let other = try #require(left.users.index(of: "user 9"))
      let before = try #require(model.users.index(of: "user 9"))
      #expect(
        left.histories.columns(ofRow: other) == model.histories.columns(ofRow: before)[...])
      #expect((left.models.ease == model.models.ease) == !refitting)
    }
    let log = target.appendingPathComponent("training.jsonl")
    #expect(try String(contentsOf: log, encoding: .utf8) == "{}\n", "other files stay")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["model"])
    #expect(throws: RecommenderError.self) {
      try versions.forget(user: "user 3", refitting: refitting, workers: workers)
    }
  }

  private func reports(below folder: URL) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter {
      $0.hasSuffix(RecommenderReport.fileName)
    }
  }

  @Test("Touched items get the factors of one full half-step, the others keep theirs")
  func touchedFactors() throws {
    let model = try Checkerboard.finetune(board.items, parts().old)
    let als = model.models.als
    let users = try als.userFoldIn(workers: workers).factors(model.histories, workers: workers)
    let whole = try ImplicitALS(
      options: als.options, userFactors: users, itemFactors: als.itemFactors
    ).itemFoldIn(workers: workers).factors(model.histories.transposed(), workers: workers)
    let touched: [Int32] = [2, 5, 40]
    let found = try als.refitting(
      items: touched, users: users, histories: model.histories, workers: workers)
    for item in 0..<model.items.count {
      let expected = touched.contains(Int32(item)) ? whole : als.itemFactors
      expectClose(
        Array(found.itemFactors.row(item)), Array(expected.row(item)), absolute: 1e-6,
        "item \(item)")
    }
  }

  @Test func whatIsKnownOrTooLittleIsAnError() throws {
    let model = try Checkerboard.finetune(board.items, parts().old)
    let updater = ModelUpdater(options: options(), workers: workers)
    #expect(throws: RecommenderError.self) {
      try updater.run(model, UpdateInput(behaviors: parts().old))
    }
    let few = parts().new.selecting([0, 1, 2, 3])
    #expect(throws: RecommenderError.self) {
      try updater.run(model, UpdateInput(behaviors: few))
    }
    var forced = options()
    forced.isForced = true
    let result = try ModelUpdater(options: forced, workers: workers)
      .run(model, UpdateInput(behaviors: few))
    #expect(result.model?.histories.entryCount == model.histories.entryCount + 4)
  }
}
