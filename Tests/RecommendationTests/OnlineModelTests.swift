import Datasets
import Kernels
import Recommendation
import Testing

/// Scores as items and behaviours come in, against the catalogue made anew with the items in it.
@Suite struct OnlineModelTests {
  private static let workers = Workers(count: 2)
  private let newTexts = [
    "the new sea3 item", "hill1 hill2 the item", "sea1 hill1", "nothing known",
  ]

  /// All parts at once, with both gates open.
  private static let fusion = FusionWeights(
    cold: [
      .textSpread: 0.7, .wordSpread: 0.4, .textProfile: 0.9, .wordNeighbours: 0.3, .ridge: 0.6,
      .tower: 1.1,
    ],
    warm: [
      .ease: 1, .als: 0.8, .popularity: 0.2, .textSpread: 0.5, .tower: 0.4, .wordNeighbours: 0.1,
    ], halfCount: 5, coldScale: 1.3, coldShift: -0.2)

  private func recommender() throws -> Recommender {
    let board = Checkerboard()
    var behaviors = board.behaviors
    // Behaviours aren't all alike, and some items have none.
    let kept = behaviors.userIndex.indices.filter { row in
      let (user, item) = (Int(behaviors.userIndex[row]), Int(behaviors.itemIndex[row]))
      return item < 40 && (user * 7 + item * 3) % 5 != 0
    }
    behaviors.userIndex = kept.map { behaviors.userIndex[$0] }
    behaviors.itemIndex = kept.map { behaviors.itemIndex[$0] }
    behaviors.labels = kept.map { behaviors.labels[$0] }
    return try Checkerboard.finetune(board.items, behaviors)
  }

  /// Users of training and somebody with new items, as histories of both kinds.
  private func histories(
    _ online: OnlineModel, _ items: [OnlineItem]
  ) throws -> (online: [OnlineHistory], matrix: SparseMatrix) {
    let old = online.itemCount
    var lists: [[Int32]] = (0..<20).map {
      Array(online.recommender.histories.columns(ofRow: $0))
    }
    lists[3] += [Int32(old), Int32(old + 2)]
    lists[4] = [Int32(old + 1)]
    lists[5] = []
    return (
      lists.map { list in
        OnlineHistory(
          items: list.filter { $0 < old },
          newItems: list.filter { $0 >= old }.map { items[Int($0) - old] })
      }, try SparseMatrix(histories: lists, columnCount: old + items.count)
    )
  }

  @Test func scoresAreThoseOfTheCatalogueMadeAnew() throws {
    let recommender = try recommender()
    let online = try OnlineModel(
      recommender, fusion: OnlineModelTests.fusion, workers: OnlineModelTests.workers)
    let items = online.represent(newTexts, features: nil)
    let block = OnlineBlock(items)
    var reference = recommender
    try reference.addItems(
      ItemTable(ids: IDTable(newTexts.indices.map { "new \($0)" }), texts: newTexts),
      workers: OnlineModelTests.workers)
    let (histories, matrix) = try histories(online, items)
    let expected = try reference.scorer(
      fusion: OnlineModelTests.fusion, userFeatures: nil, workers: OnlineModelTests.workers
    ).scores(matrix, workers: OnlineModelTests.workers)
    for (row, history) in histories.enumerated() {
      let scores = online.scores(history, block: block)
      #expect(scores.count == reference.items.count)
      for item in scores.indices {
        let difference = abs(scores[item] - expected[row, item])
        #expect(
          difference < 2e-3 * max(1, abs(expected[row, item])),
          "user \(row), item \(item): \(scores[item]) for \(expected[row, item])")
      }
    }
  }

  @Test func anItemComesBackFromItsBytes() throws {
    let online = try OnlineModel(recommender(), workers: OnlineModelTests.workers)
    for item in online.represent(newTexts, features: nil) {
      let again = try #require(OnlineItem(bytes: item.bytes))
      #expect(again.bytes == item.bytes && again.tower == item.tower)
      #expect(again.fits(item, in: online))
      let query = OnlineModel.Query(history: OnlineHistory(items: [0, 2]), k: 50)
      let lists = [item, again].map { online.rank([query], block: OnlineBlock([$0]))[0] }
      #expect(lists[0] == lists[1])
      #expect(OnlineItem(bytes: Array(item.bytes.dropLast(4))) == nil)
      // Three lists more, as earlier versions kept.
      #expect(
        OnlineItem(
          bytes: Array(item.bytes[..<12] + [UInt8](repeating: 0, count: 12) + item.bytes[12...]))
          == nil)
      #expect(OnlineItem(bytes: []) == nil)
      #expect(OnlineItem(bytes: [UInt8](repeating: 255, count: 48)) == nil)
    }
  }

  @Test func aBlockThatGrewIsTheOneMadeAtOnce() throws {
    let online = try OnlineModel(recommender(), workers: OnlineModelTests.workers)
    let some = online.represent(newTexts, features: nil)
    let items = (0..<2100).map { some[$0 % some.count] }
    let history = OnlineHistory(items: [0, 2], newItems: [some[0]])
    let expected = online.scores(history, block: OnlineBlock(items))
    var grown = OnlineBlock(Array(items[..<1000]))
    grown = grown.changing([(1000, items[1000]), (1001, items[1001])])
    grown = grown.changing((1002..<2100).map { ($0, items[$0]) })
    #expect(grown.count == 2100)
    let other = grown.changing([(5, some[(5 + 1) % some.count])])
    #expect(other[5] === some[(5 + 1) % some.count] && grown[5] === items[5])
    for (a, b) in zip(online.scores(history, block: grown), expected) { #expect(abs(a - b) < 1e-4) }
  }

  @Test("A list is the same alone and among others, and leaves out what it must")
  func listsAreTheSameAloneAndTogether() throws {
    let recommender = try recommender()
    let online = try OnlineModel(recommender, workers: OnlineModelTests.workers)
    let items = online.represent(newTexts, features: nil)
    let block = OnlineBlock(items)
    let (histories, _) = try histories(online, items)
    var allowed = [Bool](repeating: true, count: online.itemCount + items.count)
    for item in stride(from: 0, to: allowed.count, by: 3) { allowed[item] = false }
    let queries = histories.enumerated().map { row, history in
      OnlineModel.Query(
        history: history, k: 7, allowed: row % 2 == 0 ? nil : allowed, excluded: [1, 2])
    }
    let together = online.rank(queries, block: block)
    for (row, query) in queries.enumerated() {
      let alone = online.rank([query], block: block)[0]
      #expect(alone == together[row], "user \(row)")
      #expect(alone.count == 7)
      #expect(!alone.contains { $0.item == 1 || $0.item == 2 })
      if query.allowed != nil { #expect(alone.allSatisfy { $0.item % 3 != 0 }) }
    }
  }

  @Test func theCatalogueWithNewItemsIsTheOneMadeAnew() throws {
    let recommender = try recommender()
    let online = try OnlineModel(recommender, workers: OnlineModelTests.workers)
    let table = ItemTable(ids: IDTable(newTexts.indices.map { "new \($0)" }), texts: newTexts)
    var expected = recommender
    try expected.addItems(table, workers: OnlineModelTests.workers)
    let made = try online.recommender(
      adding: online.represent(newTexts, features: nil), table)
    #expect(made.items == expected.items)
    #expect(made.space.counts == expected.space.counts)
    #expect(made.space.words == expected.space.words)
    for (a, b) in [
      (made.space.towerVectors, expected.space.towerVectors),
      (made.space.white, expected.space.white),
    ] {
      #expect(a.rowCount == b.rowCount)
      #expect(zip(a.values, b.values).allSatisfy { abs($0 - $1) < 1e-5 })
    }
    #expect(made.space.textNeighbours.columns == expected.space.textNeighbours.columns)
    #expect(made.space.wordNeighbours.columns == expected.space.wordNeighbours.columns)
  }

  @Test func textsAreHistories() throws {
    let recommender = try recommender()
    let online = try OnlineModel(recommender, workers: OnlineModelTests.workers)
    let text = online.represent(["sea1 sea2 sea3"], features: nil)[0]
    let list = online.rank(
      [.init(history: OnlineHistory(like: text), k: 10)], block: OnlineBlock([]))[0]
    // Even items are of the sea.
    #expect(list.filter { $0.item % 2 == 0 }.count >= 8)
    let request = try recommender.requests(
      like: ["sea1 sea2 sea3"], workers: OnlineModelTests.workers)
    let expected = try request.model.rank(
      request.histories, k: 10,
      candidates: (0..<Int32(request.itemCount)).map { $0 }, workers: OnlineModelTests.workers)
    let scores = expected.scores(ofRow: 0)
    #expect(zip(list.map(\.score), scores).allSatisfy { abs($0 - $1) < 2e-3 })
  }
}
