import Datasets
import Kernels
import Recommendation
import TestSupport
import Testing

/// Audiences against the fused scorer's whole table of users and items.
@Suite struct AudienceTests {
  private let workers = Workers(count: 2)

  /// A model of the checkerboard with every part in its fusion, and two items that came later.
  private func model() throws -> Recommender {
    let board = Checkerboard()
    var options = ColdSplit.Options()
    options.coldFraction = 0.25
    options.coldValidationFraction = 0
    options.warmFraction = 0.2
    let split = try ColdSplit.make(
      board.behaviors, positive: PositiveRule(threshold: 1), options: options)
    var model = try Checkerboard.finetune(board.items, split.train, adapters: .bottleneck)
    var weights = FusionWeights(cold: [:], warm: [:], halfCount: 3, coldScale: 0.7, coldShift: -0.4)
    for (n, part) in ScorePart.allCases.enumerated()
    where part != .ridge || model.models.ridge != nil {
      if part.scoresNewItems { weights.cold[part] = 0.3 + 0.1 * Double(n) }
      weights.warm[part] = 1 - 0.07 * Double(n)
    }
    model = model.withFusion(weights)
    try model.addItems(
      ItemTable(
        ids: IDTable(["at sea", "up hill"]),
        texts: ["the new item sea1 sea2 sea3", "the new item hill1 hill2 hill3"]),
      workers: workers)
    return model
  }

  @Test func scoresAreTheFusedOnes() throws {
    let model = try model()
    let index = try AudienceIndex(model, histories: model.histories, workers: workers)
    let expected = try model.scorer(userFeatures: nil, workers: workers)
      .scores(model.histories, workers: workers)
    let items = (0..<Int32(model.items.count)).map { $0 }
    let found = index.scores(of: items, in: model, workers: workers)
    for item in items {
      expectClose(
        Array(found.row(Int(item))),
        (0..<index.userCount).map { expected[$0, Int(item)] }, absolute: 2e-3, "item \(item)")
    }
  }

  @Test func newItemsFindTheirUsers() throws {
    let model = try model()
    let index = try AudienceIndex(model, histories: model.histories, workers: workers)
    let last = Int32(model.items.count)
    let lists = try index.audience(of: [last - 2, last - 1], in: model, k: 16, workers: workers)
    #expect(lists[0].count == 16 && lists[0].allSatisfy { $0.user % 2 == 0 })
    #expect(lists[1].count == 16 && lists[1].allSatisfy { $0.user % 2 == 1 })
    #expect(lists[0].map(\.score) == lists[0].map(\.score).sorted(by: >))
    #expect(throws: RecommenderError.self) {
      try index.audience(of: [last], in: model, k: 1, workers: workers)
    }
  }

  @Test func ownersAreLeftOutUnlessAskedFor() throws {
    let model = try model()
    let index = try AudienceIndex(model, histories: model.histories, workers: workers)
    let item = model.histories.columns[0]
    let owners = (0..<Int32(index.userCount)).filter {
      model.histories.columns(ofRow: Int($0)).contains(item)
    }
    let others = try index.audience(
      of: [item], in: model, k: index.userCount, workers: workers)[0]
    #expect(others.count == index.userCount - owners.count)
    #expect(Set(others.map(\.user)).isDisjoint(with: owners))
    let all = try index.audience(
      of: [item], in: model, k: index.userCount, includesOwners: true, workers: workers)[0]
    #expect(all.count == index.userCount)
  }

  @Test("Newer histories give what an index made of them gives")
  func updates() throws {
    let model = try model()
    var index = try AudienceIndex(model, histories: model.histories, workers: workers)
    let lists: [[Int32]] = [[1, 3, 5, 7], [0, 2, 4]]
    let newer = try SparseMatrix(histories: lists, columnCount: model.items.count)
    let last = Int32(model.histories.rowCount)
    try index.update([0, last], histories: newer, in: model, workers: workers)
    var whole = (0..<model.histories.rowCount).map { Array(model.histories.columns(ofRow: $0)) }
    whole[0] = lists[0]
    whole.append(lists[1])
    let fresh = try AudienceIndex(
      model, histories: SparseMatrix(histories: whole, columnCount: model.items.count),
      workers: workers)
    let items: [Int32] = [0, 9, Int32(model.items.count - 1)]
    let (a, b) = (
      index.scores(of: items, in: model, workers: workers),
      fresh.scores(of: items, in: model, workers: workers)
    )
    #expect(index.userCount == model.histories.rowCount + 1)
    expectClose(a.values, b.values, absolute: 1e-4, "scores")
  }

  @Test func similarItemsAreByHandCosines() throws {
    let model = try model()
    let item: Int32 = 4
    for comparison in Recommender.ItemComparison.allCases {
      let list = model.similar(to: [item], k: 5, by: comparison, workers: workers)[0]
      let vectors = comparison == .tower ? model.space.towerVectors : model.space.white
      func cosine(_ other: Int) -> Float {
        zip(vectors.row(Int(item)), vectors.row(other)).reduce(0) { $0 + $1.0 * $1.1 }
      }
      let expected = (0..<model.items.count).filter { $0 != Int(item) }.sorted {
        (cosine($1), $0) < (cosine($0), $1)
      }.prefix(5)
      #expect(list.map { Int($0.item) } == Array(expected))
    }
    let texts = model.similar(toTexts: ["the new item hill1 hill2 hill3"], k: 1, workers: workers)
    #expect(texts[0].first.map { model.items.ids[Int($0.item)] } == "up hill")
  }
}
