import Datasets
import Kernels
import Recommendation
import TestSupport
import Testing

/// Audiences against the fused scorer's whole table of users and items.
@Suite struct AudienceTests {
  private let workers = Workers(count: 2)

  private static let later = ItemTable(
    ids: IDTable(["at sea", "up hill"]),
    texts: ["the new item sea1 sea2 sea3", "the new item hill1 hill2 hill3"])

  /// A model of the checkerboard with every part in its fusion.
  private func trained() throws -> Recommender {
    let board = Checkerboard()
    var options = ColdSplit.Options()
    options.coldFraction = 0.25
    options.coldValidationFraction = 0
    options.warmFraction = 0.2
    let split = try ColdSplit.make(
      board.behaviors, positive: PositiveRule(threshold: 1), options: options)
    let model = try Checkerboard.finetune(board.items, split.train, adapters: .bottleneck)
    var weights = FusionWeights(cold: [:], warm: [:], halfCount: 3, coldScale: 0.7, coldShift: -0.4)
    for (n, part) in ScorePart.allCases.enumerated()
    where part != .ridge || model.models.ridge != nil {
      if part.scoresNewItems { weights.cold[part] = 0.3 + 0.1 * Double(n) }
      weights.warm[part] = 1 - 0.07 * Double(n)
    }
    return model.withFusion(weights)
  }

  /// It with two items that came later: beside the catalogue, and in a catalogue made anew.
  private func models() throws -> (online: OnlineModel, block: OnlineBlock, whole: Recommender) {
    var whole = try trained()
    let online = try OnlineModel(whole, workers: workers)
    let block = OnlineBlock(online.represent(AudienceTests.later.texts, features: nil))
    try whole.addItems(AudienceTests.later, workers: workers)
    return (online, block, whole)
  }

  @Test func scoresAreTheFusedOnes() throws {
    let (online, block, whole) = try models()
    let index = AudienceIndex(online, workers: workers)
    let expected = try whole.scorer(userFeatures: nil, workers: workers)
      .scores(whole.histories, workers: workers)
    for item in 0..<Int32(whole.items.count) {
      expectClose(
        try index.scores(of: .item(item), in: online, block: block, workers: workers),
        (0..<index.userCount).map { expected[$0, Int(item)] }, absolute: 2e-3, "item \(item)")
    }
    let last = block.count - 1
    expectClose(
      try index.scores(of: .text(block[last]), in: online, block: block, workers: workers),
      (0..<index.userCount).map { expected[$0, whole.items.count - 1] }, absolute: 2e-3, "a text")
  }

  @Test func newItemsFindTheirUsers() throws {
    let (online, block, whole) = try models()
    let index = AudienceIndex(online, workers: workers)
    let last = Int32(whole.items.count)
    func audience(_ item: Int32) throws -> [AudienceIndex.Member] {
      try index.audience(of: .item(item), in: online, block: block, k: 16, workers: workers)
    }
    let lists = try [audience(last - 2), audience(last - 1)]
    #expect(lists[0].count == 16 && lists[0].allSatisfy { $0.user % 2 == 0 })
    #expect(lists[1].count == 16 && lists[1].allSatisfy { $0.user % 2 == 1 })
    #expect(lists[0].map(\.score) == lists[0].map(\.score).sorted(by: >))
    for item in [last, -1] { #expect(throws: RecommenderError.self) { try audience(item) } }
  }

  @Test func ownersAreLeftOutUnlessAskedForAndHiddenUsersAlways() throws {
    let (online, block, whole) = try models()
    let index = AudienceIndex(online, workers: workers)
    let item = whole.histories.columns[0]
    let owners = (0..<Int32(index.userCount)).filter {
      whole.histories.columns(ofRow: Int($0)).contains(item)
    }
    let others = try index.audience(
      of: .item(item), in: online, block: block, k: index.userCount, workers: workers)
    #expect(others.count == index.userCount - owners.count)
    #expect(Set(others.map(\.user)).isDisjoint(with: owners))
    let all = try index.audience(
      of: .item(item), in: online, block: block, k: index.userCount, includesOwners: true,
      workers: workers)
    #expect(all.count == index.userCount)
    let some = try index.audience(
      of: .item(item), in: online, block: block, k: index.userCount, includesOwners: true,
      hidden: [true, false, true], workers: workers)
    #expect(Set(all.map(\.user)).subtracting(some.map(\.user)) == [0, 2])
  }

  @Test("Newer histories, with later items in them, give the fused scores of those")
  func updates() throws {
    let (online, block, whole) = try models()
    var index = AudienceIndex(online, workers: workers)
    let new = Int32(online.itemCount)
    let lists: [[Int32]] = [[1, 3, 5, 7, new + 1], [0, 2, 4]]
    let last = Int32(index.userCount)
    index.update(
      [0, last], histories: lists, features: [nil, nil], in: online, block: block,
      workers: workers)
    #expect(index.userCount == Int(last) + 1)
    let expected = try whole.scorer(userFeatures: nil, workers: workers)
      .scores(
        SparseMatrix(histories: lists, columnCount: whole.items.count), workers: workers)
    for item in [0, 9, new, new + 1] {
      let found = try index.scores(of: .item(item), in: online, block: block, workers: workers)
      expectClose(
        [found[0], found[Int(last)]], [expected[0, Int(item)], expected[1, Int(item)]],
        absolute: 2e-3, "item \(item)")
    }
    let owner = try index.audience(
      of: .item(new + 1), in: online, block: block, k: index.userCount, workers: workers)
    #expect(!owner.contains { $0.user == 0 })
  }

  @Test func similarItemsAreByHandCosines() throws {
    let model = try models().whole
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
