import Kernels
import Recommendation
import TestSupport
import Testing

private struct ScorersGolden: Decodable {
  struct Space: Decodable {
    var neighbours: GoldenMatrix
    var knn: GoldenMatrix
    var profile: GoldenMatrix
    var spread: GoldenMatrix
  }
  var train: GoldenSparse
  var vectors: GoldenSparse
  var cold: [Int32]
  var warm: [Int32]
  var ease: GoldenMatrix
  var easeScores: GoldenMatrix
  var sparse: Space
  var denseSpace: Space
  var denseVectors: GoldenMatrix
}

@Suite struct ScorerTests {
  private let golden: ScorersGolden
  private let train: SparseMatrix
  private let vectors: SparseMatrix
  private let workers = Workers(count: 2)
  private let all = (0..<40).map { Int32($0) }

  init() throws {
    BLAS.useSingleThread()
    golden = try Goldens.load("scorers", as: ScorersGolden.self)
    train = try golden.train.matrix()
    vectors = try golden.vectors.matrix()
  }

  private func ease() throws -> ItemWeights {
    var options = EASE.Options()
    options.penalty = 5
    options.keep = 40
    return try EASE.fit(train, options: options, workers: workers)
  }

  private func neighbours(dense: Bool, _ queries: [Int32], k: Int) -> Neighbours {
    dense
      ? Neighbours.find(
        golden.denseVectors.matrix, queries: queries, candidates: golden.warm, k: k,
        workers: workers)
      : Neighbours.find(
        vectors, queries: queries, candidates: golden.warm, k: k, workers: workers)
  }

  @Test func easeScores() throws {
    let scores = try ease().scores(train, workers: workers)
    expectClose(scores.values, golden.easeScores.values, absolute: 1e-6, relative: 1e-5)
  }

  @Test("Neighbours in sparse and dense spaces are those of a full sort", arguments: [false, true])
  func exactNeighbours(_ dense: Bool) {
    let found = neighbours(dense: dense, all, k: 6)
    let space = dense ? golden.denseSpace : golden.sparse
    let matrix = found.matrix(itemCount: 40).transposed().dense()
    expectClose(matrix.values, space.neighbours.values, absolute: 1e-6)
    for row in 0..<40 {
      let scores = Array(found.lists.scores(ofRow: row))
      #expect(scores == scores.sorted(by: >), "row \(row)")
    }
  }

  @Test("Item neighbourhood scores", arguments: [false, true])
  func itemKNN(_ dense: Bool) {
    let scores = ItemKNN.weights(neighbours(dense: dense, all, k: 6))
      .scores(train, workers: workers)
    let expected = (dense ? golden.denseSpace : golden.sparse).knn
    expectClose(scores.values, expected.values, absolute: 2e-6, relative: 1e-5)
  }

  @Test("Profile scores", arguments: [false, true])
  func profile(_ dense: Bool) {
    let scorer = dense ? ProfileScorer(golden.denseVectors.matrix) : ProfileScorer(vectors)
    let scores = scorer.scores(train, workers: workers)
    let expected = (dense ? golden.denseSpace : golden.sparse).profile
    expectClose(scores.values, expected.values, absolute: 2e-6)
  }

  @Test("Spread scores", arguments: [false, true])
  func spread(_ dense: Bool) throws {
    let near = neighbours(dense: dense, golden.cold, k: 4)
    let scores = NeighbourSpread(try ease(), targets: golden.cold, neighbours: near)
      .scores(train, workers: workers)
    let expected = (dense ? golden.denseSpace : golden.sparse).spread
    expectClose(scores.values, expected.values, absolute: 2e-6, relative: 1e-5)
  }

  @Test func newTextsFindWhatTheirTwinsFind() {
    // Vectors from outside the catalogue may be neighbours of an equal item, at cosine 1.
    let dense = golden.denseVectors.matrix
    let found = Neighbours.find(
      newVectors: dense.selectingRows([0, 1]), in: dense, candidates: all, k: 3, workers: workers)
    let inside = Neighbours.find(
      dense, queries: [0, 1], candidates: all, k: 2, workers: workers)
    let sparse = Neighbours.find(
      newVectors: vectors.selectingRows([0, 1]), in: vectors, candidates: all, k: 1,
      workers: workers)
    for row in 0..<2 {
      let items = Array(found.lists.items(ofRow: row))
      #expect(items[0] == Int32(row))
      #expect(Array(items.dropFirst()) == Array(inside.lists.items(ofRow: row)))
      expectClose(found.lists.scores(ofRow: row).first ?? 0, 1, absolute: 1e-5)
      expectClose(sparse.lists.scores(ofRow: row).first ?? 0, 1, absolute: 1e-5)
    }
  }

  @Test func popularityCountsUsers() {
    let scores = Popularity(train).scores(train, workers: workers)
    let dense = train.dense()
    for item in 0..<40 {
      var users: Float = 0
      for user in 0..<60 { users += dense[user, item] }
      #expect(scores[0, item] == users)
      #expect(scores[59, item] == users)
    }
  }

  @Test func storedFactorsScoreByUser() {
    let users = golden.denseVectors.matrix
    let scorer = FactorScorer(users: users, items: users)
    let histories = vectors.selectingColumns([])
    var block = [Float](repeating: 0, count: 2 * 40)
    scorer.score(histories, rows: 5..<7, into: &block)
    for (n, user) in [5, 6].enumerated() {
      for item in 0..<40 {
        var sum: Float = 0
        for c in 0..<6 { sum += users[user, c] * users[item, c] }
        expectClose(block[n * 40 + item], sum, absolute: 1e-5, "(\(user), \(item))")
      }
    }
  }
}
