import Datasets
import Foundation
import Kernels
import Metrics
import Recommendation
import TestSupport
import Testing

/// Quality by item age and by history, against sorting in the test.
@Suite struct QualityGroupTests {
  private let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Goldens/evaluation")
  private let split: EvaluationSplit
  private let result: MethodResult

  /// Scores that depend on user and item, all different.
  private struct Scattered: UserScorer {
    let itemCount: Int
    func score(
      _ histories: SparseMatrix, rows: Range<Int>, into scores: UnsafeMutablePointer<Float>
    ) {
      for row in rows {
        for item in 0..<itemCount {
          scores[(row - rows.lowerBound) * itemCount + item] = value(row, item)
        }
      }
    }
    func value(_ row: Int, _ item: Int) -> Float {
      Float((item * 7919 + row * 104_729) % 1_000_003)
    }
  }

  init() throws {
    BLAS.useSingleThread()
    let items = try ItemTable.load(from: folder.appendingPathComponent("items.csv"))
    split = try EvaluationSplit(
      try ColdSplit.read(from: folder.appendingPathComponent("split")), catalogue: items.ids)
    result = split.judge(
      "scattered", Scattered(itemCount: split.itemCount), workers: Workers(count: 2))
  }

  @Test func ranges() {
    #expect(CountRange.itemAges.map(\.name) == ["0", "1", "2-5", "6-20", "over 20"])
    #expect(CountRange.histories.map(\.name) == ["1", "2-5", "6-20", "21-50", "over 50"])
  }

  @Test func itemAgesAgainstSorting() throws {
    let counts = split.train.columnSums()
    let scorer = Scattered(itemCount: split.itemCount)
    #expect(result.itemAges.filter { $0.users > 0 }.count >= 3, "the data has several ages")
    for (age, found) in result.itemAges.enumerated() {
      let range = CountRange.itemAges[age].counts
      let members = (split.warmItems + split.coldItems).filter {
        range.contains(Int(counts[Int($0)]))
      }
      #expect(found.items == members.count)
      var (alone, shown): ([Double], [Double]) = ([], [])
      for (row, user) in split.evaluated.enumerated() {
        let seen = Set(split.train.columns(ofRow: Int(user)))
        let relevant = Set(split.coldPositives.columns(ofRow: Int(user)))
          .union(split.warmPositives.columns(ofRow: Int(user)))
          .filter { range.contains(Int(counts[Int($0)])) }
        guard !relevant.isEmpty else { continue }
        func ranked(_ items: [Int32]) -> ArraySlice<Int32> {
          items.filter { !seen.contains($0) }
            .sorted { scorer.value(row, Int($0)) > scorer.value(row, Int($1)) }.prefix(20)
        }
        let gain = ranked(members).enumerated().reduce(0.0) { sum, entry in
          sum + (relevant.contains(entry.element) ? 1 / Double.log2(Double(entry.offset) + 2) : 0)
        }
        let ideal = (0..<min(20, relevant.count)).reduce(0.0) {
          $0 + 1 / Double.log2(Double($1) + 2)
        }
        alone.append(gain / ideal)
        let top = ranked(split.warmItems + split.coldItems)
        shown.append(Double(top.filter { relevant.contains($0) }.count) / Double(relevant.count))
      }
      #expect(found.users == alone.count)
      guard !alone.isEmpty else {
        #expect(found.ndcg20.mean.isNaN)
        continue
      }
      let n = Double(alone.count)
      expectClose(found.ndcg20.mean, alone.reduce(0, +) / n, absolute: 1e-12, "age \(age)")
      expectClose(found.recall20.mean, shown.reduce(0, +) / n, absolute: 1e-12, "age \(age)")
      #expect(found.ndcg20.interval[0] <= found.ndcg20.mean)
      #expect(found.ndcg20.interval[1] >= found.ndcg20.mean)
    }
    // New items alone are the cold set.
    expectClose(
      result.itemAges[0].ndcg20.mean, result.report[.cold]?["ndcg@20"]?.mean ?? .nan,
      absolute: 1e-12)
    expectClose(result.itemAges[0].recall20.mean, result.report.coldRecall20, absolute: 1e-12)
  }

  @Test func historiesAgainstGrouping() {
    for (place, found) in result.histories.enumerated() {
      let rows = result.results.indices.filter { row in
        CountRange.histories[place].counts.contains(
          split.train.columns(ofRow: Int(split.evaluated[row])).count)
      }
      #expect(found.users == rows.count)
      for set in RankingEvaluator.CandidateSet.allCases {
        let values = rows.compactMap { result.results[$0][set]?.ndcg20 }
        let mean = found[set]?.mean ?? .infinity
        if values.isEmpty {
          #expect(mean.isNaN)
        } else {
          expectClose(mean, values.reduce(0, +) / Double(values.count), absolute: 1e-12)
        }
      }
    }
    #expect(result.histories.reduce(0) { $0 + $1.users } == split.evaluated.count)
  }

  @Test func calibrationByHand() {
    let shares = CalibrationCurve(
      "all", .probability, predictions: [0.02, 0.06, 0.55, 1], truths: [0, 1, 1, 0])
    #expect(shares.bins.map(\.count) == [2, 1, 1])
    expectClose(shares.bins.map(\.predicted), [0.04, 0.55, 1], absolute: 1e-12)
    expectClose(shares.bins.map(\.observed), [0.5, 1, 0], absolute: 1e-12)
    // Wilson's interval of 1 in 2: (0.5 + z^2/4 -+ z sqrt(1/8 + z^2/16)) / (1 + z^2/2), z = 1.96.
    expectClose(shares.bins[0].interval, [0.094530, 0.905470], absolute: 1e-5)
    // Half decades: 10^-4 to 10^-3.5, 10^-3.5 to 10^-3, and so on.
    let rare = CalibrationCurve(
      "all", .rareProbability, predictions: [2e-4, 3e-4, 4e-4, 0.5], truths: [0, 0, 1, 1])
    #expect(rare.bins.map(\.count) == [2, 1, 1])
    let ratings = CalibrationCurve(
      "all", .rating, predictions: (0..<20).map { Double($0) },
      truths: (0..<20).map { Double(2 * $0) })
    #expect(ratings.bins.count == 10 && ratings.bins.allSatisfy { $0.count == 2 })
    expectClose(ratings.bins[3].predicted, 6.5, absolute: 1e-12)
    expectClose(ratings.bins[3].observed, 13, absolute: 1e-12)
    // 12 and 14 deviate by 1: 1.96 / sqrt(2).
    expectClose(ratings.bins[3].interval, [13 - 1.385929, 13 + 1.385929], absolute: 1e-5)
  }
}
