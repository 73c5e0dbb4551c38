import Foundation
import Kernels
import Recommendation
import TestSupport
import Testing

/// Gives every user the row of scores that belongs to the one item of the history.
private struct TableScorer: UserScorer {
  let rows: [[Float]]
  var itemCount: Int { rows[0].count }

  func score(
    _ histories: SparseMatrix, rows users: Range<Int>, into scores: UnsafeMutablePointer<Float>
  ) {
    for (n, user) in users.enumerated() {
      let item = histories.columns(ofRow: user).first ?? 0
      for (column, value) in rows[Int(item)].enumerated() {
        scores[n * itemCount + column] = value
      }
    }
  }
}

@Suite struct FusionScorerTests {
  private let workers = Workers(count: 2)

  private func scores(
    _ weights: FusionWeights, _ parts: [(part: ScorePart, scorer: any UserScorer)],
    counts: [Float], reference: Int, histories: [[Int32]] = [[0]]
  ) throws -> DenseMatrix {
    FusedScorer(weights: weights, parts: parts, counts: counts, referenceCount: reference)
      .scores(
        try SparseMatrix(histories: histories, columnCount: counts.count), workers: workers)
  }

  @Test func standardisationAndGateByHand() throws {
    // Text: mean 2, deviation 1 over all four items. EASE says nothing of item 3, so it is
    // standardised over items 0 to 2: mean 4, deviation sqrt(8 / 3).
    let text: [Float] = [1, 3, 1, 3]
    let ease: [Float] = [2, 4, 6, 0]
    let weights = FusionWeights(
      cold: [.textProfile: 2], warm: [.ease: 1, .textProfile: 0.5], halfCount: 4, coldScale: 3,
      coldShift: -1)
    let found = try scores(
      weights, [(.ease, TableScorer(rows: [ease])), (.textProfile, TableScorer(rows: [text]))],
      counts: [4, 12, 1, 0], reference: 4)
    let root = Float(8.0 / 3).squareRoot()
    func mixed(_ count: Float, _ ease: Float, _ text: Float) -> Float {
      let gate = count / (count + 4)
      return gate * (ease + 0.5 * text) + (1 - gate) * (3 * 2 * text - 1)
    }
    expectClose(
      found.values,
      [mixed(4, -2 / root, -1), mixed(12, 0, 1), mixed(1, 2 / root, -1), 3 * 2 - 1],
      absolute: 1e-5)
  }

  @Test func behavioursDecideAloneWithoutAHalfCount() throws {
    let weights = FusionWeights(cold: [.textProfile: 1], warm: [.ease: 1])
    #expect(weights.gate(0) == 0 && weights.gate(1) == 1)
    let found = try scores(
      weights,
      [
        (.ease, TableScorer(rows: [[1, 3, 0]])), (.textProfile, TableScorer(rows: [[5, 6, 7]])),
      ], counts: [1, 1, 0], reference: 3)
    expectClose(found.values, [-1, 1, Float(1.5).squareRoot()], absolute: 1e-5)
  }

  @Test func constantPartsSayNothing() throws {
    let weights = FusionWeights(cold: [.textProfile: 1], warm: [.popularity: 1])
    let found = try scores(
      weights,
      [
        (.popularity, TableScorer(rows: [[7, 7, 0]])),
        (.textProfile, TableScorer(rows: [[0.25, 0.25, 0.25]])),
      ], counts: [2, 2, 0], reference: 3)
    #expect(found.values == [0, 0, 0])
  }

  @Test func newItemsChangeNoOtherScore() throws {
    let weights = FusionWeights(
      cold: [.textProfile: 1], warm: [.ease: 1, .textProfile: 1], halfCount: 2)
    let (text, ease): ([Float], [Float]) = ([1, 3, 2, 9], [0.5, 1, 0, 0])
    func table(_ items: Int) throws -> [Float] {
      try scores(
        weights,
        [
          (.ease, TableScorer(rows: [Array(ease.prefix(items))])),
          (.textProfile, TableScorer(rows: [Array(text.prefix(items))])),
        ], counts: Array([3, 1, 0, 0].prefix(items)), reference: 3
      ).values
    }
    let (before, after) = (try table(3), try table(4))
    #expect(Array(after.prefix(3)) == before)
    #expect(after[3] > after[2])
  }

  @Test func weightsSurviveJSON() throws {
    let weights = FusionWeights(
      cold: [.tower: 0.25, .wordSpread: 1], warm: [.ease: 1], halfCount: 2, coldScale: 0.5,
      coldShift: -1.5)
    let data = try JSONEncoder().encode(weights)
    #expect(try JSONDecoder().decode(FusionWeights.self, from: data) == weights)
    #expect(weights.parts == [.ease, .wordSpread, .tower])
    let damaged = Data(
      #"{"cold":{"magic":1},"warm":{},"half_count":0,"cold_scale":1,"cold_shift":0}"#.utf8)
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(FusionWeights.self, from: damaged)
    }
  }

  // MARK: Fitting

  /// Two users, six candidates.
  ///
  /// Part 0 ranks user 0 right, part 1 user 1; each is constant for the other user. Part 2 is noise
  /// that puts the relevant items last.
  private func validation() throws -> ValidationScores {
    let right: [Float] = [6, 5, 4, 3, 2, 1]
    let flat = [Float](repeating: 1, count: 6)
    let scorer = FusedScorer(
      weights: FusionWeights(cold: [:], warm: [:]),
      parts: [
        (.textProfile, TableScorer(rows: [right, flat])),
        (.wordSpread, TableScorer(rows: [flat, right.reversed()])),
        (.tower, TableScorer(rows: [right.reversed(), right])),
      ], counts: [Float](repeating: 1, count: 6), referenceCount: 6)
    return ValidationScores(
      scorer: scorer, histories: try SparseMatrix(histories: [[0], [1]], columnCount: 6),
      candidates: [0, 1, 2, 3, 4, 5], relevant: [[0], [5]], excluded: [[], []],
      workers: workers)
  }

  @Test func tiesCountAsLost() throws {
    let scores = try validation()
    // User 0 has its item first: 1. User 1's scores are equal, so its item is last: 1 / log2(7).
    expectClose(
      scores.ndcg([1, 0, 0], workers: workers), (1 + 1 / Double.log2(7)) / 2, absolute: 1e-12)
    expectClose(scores.ndcg([1, 1, 0], workers: workers), 1, absolute: 1e-12)
    expectClose(
      scores.ndcg([0, 0, 1], workers: workers), 1 / Double.log2(7), absolute: 1e-12)
  }

  @Test func groupsOfItemsCountAlike() throws {
    let scorer = FusedScorer(
      weights: FusionWeights(cold: [:], warm: [:]),
      parts: [
        (.tower, TableScorer(rows: [[5, 4, 3], [5, 4, 3]])),
        (.ease, TableScorer(rows: [[4, 5, 3], [3, 4, 5]])),
      ], counts: [1, 1, 1], referenceCount: 3)
    let scores = ValidationScores(
      scorer: scorer, histories: try SparseMatrix(histories: [[0], [0], [1]], columnCount: 3),
      candidates: [0, 1, 2], relevant: [[0], [0], [2]], excluded: [[], [], []],
      groups: [0, 1, 1], workers: workers)
    // Two users want the popular item, one the other: by users the first part is better, by groups
    // the second, and as the groups disagree neither beats the other beyond chance.
    let first = scores.worth([1, 0], workers: workers)
    let second = scores.worth([0, 1], workers: workers)
    let log3 = 1 / Double.log2(3)
    expectClose(first.groups, [1, 0.5], absolute: 1e-12)
    expectClose(first.ndcg, 2.5 / 3, absolute: 1e-12)
    expectClose(second.groups, [log3, 1], absolute: 1e-12)
    expectClose(second.ndcg, (1 + 2 * log3) / 3, absolute: 1e-12)
    #expect(!second.isBetter(than: first, margin: 0))
    #expect(!first.isBetter(than: second, margin: 0))
    let low = ValidationScores.Worth(ndcg: 0, groups: [0.5, 0])
    #expect(first.isBetter(than: low, margin: 0.4) && !first.isBetter(than: low, margin: 0.6))
  }

  @Test func relevantTiesStandOneAfterTheOther() throws {
    let scorer = FusedScorer(
      weights: FusionWeights(cold: [:], warm: [:]),
      parts: [(.tower, TableScorer(rows: [[5, 5, 3, 3]]))], counts: [1, 1, 1, 1],
      referenceCount: 4)
    func ndcg(_ relevant: [Int32]) throws -> Double {
      ValidationScores(
        scorer: scorer, histories: try SparseMatrix(histories: [[0]], columnCount: 4),
        candidates: [0, 1, 2, 3], relevant: [relevant], excluded: [[]], workers: workers
      ).ndcg([1], workers: workers)
    }
    let second = 1 / Double.log2(3)
    expectClose(try ndcg([0, 1]), 1, absolute: 1e-12)
    expectClose(try ndcg([0]), second, absolute: 1e-12)
    // Item 0 after its twin, items 2 and 3 after both.
    expectClose(
      try ndcg([0, 2, 3]), (second + 0.5 + 1 / Double.log2(5)) / (1 + second + 0.5),
      absolute: 1e-12)
  }

  @Test func excludedCandidatesRankLast() throws {
    let scorer = FusedScorer(
      weights: FusionWeights(cold: [:], warm: [:]),
      parts: [(.tower, TableScorer(rows: [[5, 4, 3]]))], counts: [1, 1, 1], referenceCount: 3)
    func ndcg(_ excluded: [Int32]) throws -> Double {
      ValidationScores(
        scorer: scorer, histories: try SparseMatrix(histories: [[0]], columnCount: 3),
        candidates: [0, 1, 2], relevant: [[2]], excluded: [excluded], workers: workers
      ).ndcg([1], workers: workers)
    }
    expectClose(try ndcg([]), 0.5, absolute: 1e-12)
    expectClose(try ndcg([0]), 1 / Double.log2(3), absolute: 1e-12)
    expectClose(try ndcg([0, 1]), 1, absolute: 1e-12)
  }

  @Test func ascentFindsThePartsThatHelp() throws {
    let found = CoordinateAscent().fit(try validation(), workers: workers)
    expectClose(found.ndcg, 1, absolute: 1e-12)
    #expect(found.weights[0] > 0 && found.weights[1] > 0)
    #expect(found.weights[2] == 0, "noise stays out")
    let half = (1 + 1 / Double.log2(7)) / 2
    expectClose(found.single, [half, half, 1 / Double.log2(7)], absolute: 1e-12)
  }
}
