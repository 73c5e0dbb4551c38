import Recommendation
import Testing

@Suite struct DiversityTests {
  /// Items 0 and 1 are nearly one, item 2 is another.
  private let vectors = DenseMatrix(
    rowCount: 3, columnCount: 2, values: [1, 0, 0.8, 0.6, 0, 1])
  private let pool: [RankedLists.Element] = [
    .init(item: 0, score: 10), .init(item: 1, score: 9), .init(item: 2, score: 5),
  ]

  private func items(_ diversity: Double, k: Int = 3) throws -> [Int32] {
    try MaximalMarginalRelevance(diversity: diversity).select(pool, k: k, vectors: vectors)
      .map(\.item)
  }

  @Test("By hand: relevances 1, 0.8, 0; item 1 is 0.8 like item 0, item 2 isn't")
  func handArithmetic() throws {
    #expect(try items(0) == [0, 1, 2])
    // (1 - d) 0.8 - d 0.8 against (1 - d) 0 - d 0: equal at d = 0.5, where the earlier one wins.
    #expect(try items(0.45, k: 2) == [0, 1])
    #expect(try items(0.5, k: 2) == [0, 1])
    #expect(try items(0.55, k: 2) == [0, 2])
    #expect(try items(1) == [0, 2, 1])
  }

  @Test func scoresStayThoseOfTheItems() throws {
    let list = try MaximalMarginalRelevance(diversity: 1).select(pool, k: 3, vectors: vectors)
    #expect(list.map(\.score) == [10, 5, 9])
  }

  @Test("any list is the beginning of a longer one, and each item stands in it once")
  func pagesOfLongLists() throws {
    let count = MaximalMarginalRelevance.pagedPoolSize + 50
    var vectors = DenseMatrix(rowCount: count, columnCount: 2)
    for row in 0..<count { vectors[row, row % 3 == 0 ? 0 : 1] = 1 }
    let elements = (0..<count).map {
      RankedLists.Element(item: Int32($0), score: Float(count - $0))
    }
    let reranking = try MaximalMarginalRelevance(diversity: 0.4)
    let whole = reranking.selectPaged(elements, k: count, vectors: vectors).map(\.item)
    #expect(Set(whole).count == count && Array(whole.suffix(50)) == Array(1000..<1050))
    for k in [1, 20, 999, 1000, 1001, 1049] {
      let list = reranking.selectPaged(elements, k: k, vectors: vectors).map(\.item)
      #expect(list == Array(whole.prefix(k)))
    }
  }

  @Test func poolsAndLimits() throws {
    let some = try MaximalMarginalRelevance(diversity: 0.3)
    #expect(some.poolSize(10) == 50)
    #expect(try MaximalMarginalRelevance(diversity: 0).poolSize(10) == 10)
    #expect(some.poolSize(2000) == 2000)
    #expect(some.poolSize(.max) == .max)
    #expect(some.select([], k: 3, vectors: vectors).isEmpty)
    #expect(some.select(pool, k: 0, vectors: vectors).isEmpty)
    #expect(some.select(pool, k: 9, vectors: vectors).count == 3)
    #expect(throws: RecommenderError.self) { try MaximalMarginalRelevance(diversity: 1.1) }
    #expect(throws: RecommenderError.self) { try MaximalMarginalRelevance(diversity: .nan) }
  }
}
