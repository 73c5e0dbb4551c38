import Kernels
import Recommendation
import TestSupport
import Testing

/// Scores that are given as a matrix.
private struct GivenScores: UserScorer {
  var matrix: DenseMatrix

  var itemCount: Int { matrix.columnCount }

  func score(
    _ histories: SparseMatrix, rows: Range<Int>, into scores: UnsafeMutablePointer<Float>
  ) {
    for row in rows {
      for (n, value) in matrix.row(row).enumerated() {
        scores[(row - rows.lowerBound) * itemCount + n] = value
      }
    }
  }
}

@Suite struct TopKTests {
  private let workers = Workers(count: 2)

  init() { BLAS.useSingleThread() }

  @Test func listsLongerThanTheCandidatesEndWithThem() throws {
    let scorer = GivenScores(
      matrix: DenseMatrix(rowCount: 1, columnCount: 4, values: [1, 3, 2, 4]))
    let histories = try SparseMatrix(histories: [[]], columnCount: 4)
    for candidates: [Int32]? in [nil, [0, 2]] {
      let lists = TopK.rank(
        scorer, histories: histories, k: 99_999_999_999, candidates: candidates, workers: workers)
      #expect(Array(lists.items(ofRow: 0)) == (candidates == nil ? [3, 1, 2, 0] : [2, 0]))
    }
  }

  /// All candidates sorted by score, then index.
  private func slowList(
    _ scores: ArraySlice<Float>, _ candidates: [Int32], _ excluded: ArraySlice<Int32>, _ k: Int
  ) -> [Int32] {
    let line = Array(scores)
    let allowed = candidates.filter {
      !excluded.contains($0) && line[Int($0)] > -.infinity
    }
    let sorted = allowed.sorted { a, b in
      line[Int(a)] != line[Int(b)] ? line[Int(a)] > line[Int(b)] : a < b
    }
    return Array(sorted.prefix(k))
  }

  @Test("Lists are those of a full sort, with many ties", arguments: [1, 7, 20, 100, 400])
  func matchesFullSort(_ k: Int) throws {
    var generator = TestGenerator(seed: UInt64(k))
    let (users, items) = (70, 333)
    // Few distinct values (ties), some never to be listed, negative ones and both zeros.
    let values = (0..<(users * items)).map { _ -> Float in
      switch generator.next() % 40 {
      case 0: .nan
      case 1: -.infinity
      case 2: -0.0
      case 3: .infinity
      default: Float(Int(generator.next() % 50)) - 25
      }
    }
    let scorer = GivenScores(
      matrix: DenseMatrix(rowCount: users, columnCount: items, values: values))
    let seen = try SparseMatrix(
      histories: (0..<users).map { _ in
        (0..<30).map { _ in Int32(generator.next() % UInt64(items)) }
      }, columnCount: items)
    let some = (0..<Int32(items)).filter { $0 % 3 != 1 }
    for candidates in [nil, some] {
      let lists = TopK.rank(
        scorer, histories: seen, k: k, candidates: candidates, excluding: seen, workers: workers)
      for user in 0..<users {
        let expected = slowList(
          scorer.matrix.row(user), candidates ?? (0..<Int32(items)).map { $0 },
          seen.columns(ofRow: user), k)
        #expect(Array(lists.items(ofRow: user)) == expected, "user \(user)")
        for entry in lists[user] {
          #expect(entry.score == scorer.matrix[user, Int(entry.item)], "user \(user)")
        }
      }
    }
  }

  @Test("Orders that fill the buffer again and again", arguments: [true, false])
  func sortedScores(_ ascending: Bool) throws {
    let values = (0..<5000).map { Float(ascending ? $0 : 5000 - $0) }
    let scorer = GivenScores(matrix: DenseMatrix(rowCount: 1, columnCount: 5000, values: values))
    let nothing = try SparseMatrix(rowCount: 1, columnCount: 5000, entries: [])
    let lists = TopK.rank(scorer, histories: nothing, k: 100, workers: workers)
    let expected = (0..<Int32(100)).map { ascending ? 4999 - $0 : $0 }
    #expect(Array(lists.items(ofRow: 0)) == expected)
  }

  @Test("Products in tiles give the lists of whole products", arguments: [nil, 2])
  func products(_ modulus: Int32?) throws {
    var generator = TestGenerator(seed: 5)
    // Small whole numbers: sums are exact and tie often. More users and items than a block and a tile.
    func whole(_ rows: Int) -> DenseMatrix {
      DenseMatrix(
        rowCount: rows, columnCount: 5,
        values: (0..<(rows * 5)).map { _ in Float(generator.next() % 7) - 3 })
    }
    let users = whole(300)
    let items = whole(2100)
    let seen = try SparseMatrix(
      histories: (0..<300).map { _ in (0..<50).map { _ in Int32(generator.next() % 2100) } },
      columnCount: 2100)
    let candidates = modulus.map { m in (0..<Int32(2100)).filter { $0 % m == 1 } }
    let lists = TopK.rankProducts(
      users: users, items: items, k: 25, candidates: candidates, excluding: seen, workers: workers)
    let scores = users.timesTranspose(items, workers: workers)
    for user in stride(from: 0, to: 300, by: 13) {
      let expected = slowList(
        scores.row(user), candidates ?? (0..<Int32(2100)).map { $0 }, seen.columns(ofRow: user), 25)
      #expect(Array(lists.items(ofRow: user)) == expected, "user \(user)")
    }
    let alone = TopK.rankProducts(
      users: users, items: items, k: 25, candidates: candidates, excluding: seen,
      workers: Workers(count: 1))
    #expect(alone == lists)
  }

  @Test func noItemsNoLists() throws {
    let nothing = try SparseMatrix(rowCount: 2, columnCount: 3, entries: [])
    let scorer = Popularity(counts: [1, 2, 3])
    let none = TopK.rank(scorer, histories: nothing, k: 0, workers: workers)
    #expect(none.items(ofRow: 1).isEmpty)
    let empty = TopK.rank(scorer, histories: nothing, k: 5, candidates: [], workers: workers)
    #expect(empty.items(ofRow: 1).isEmpty)
    let short = TopK.rank(scorer, histories: nothing, k: 5, workers: workers)
    #expect(Array(short.items(ofRow: 1)) == [2, 1, 0])
  }
}
