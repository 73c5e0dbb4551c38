import Foundation
import Metrics
import TestSupport
import Testing

/// What bench/baselines.py gives for a random split and random scores with ties and NaN.
private struct RankingGolden: Decodable {
  enum Score: Decodable {
    case number(Float)
    case notANumber

    init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      self = (try? .number(value.decode(Float.self))) ?? .notANumber
    }

    var value: Float { if case .number(let number) = self { number } else { .nan } }
  }

  let users: Int
  let items: Int
  let warm: [Int32]
  let cold: [Int32]
  let train: [[Int32]]
  let testWarm: [[Int32]]
  let testCold: [[Int32]]
  let balancedCold: [[Int32]]
  let scores: [[Score]]
  let perUser: [String: [String: [Double?]]]
  let means: [String: [String: [Double]]]
  let coldRecall20: Double

  enum CodingKeys: String, CodingKey {
    case users, items, warm, cold, train, scores, means
    case testWarm = "test_warm"
    case testCold = "test_cold"
    case balancedCold = "balanced_cold"
    case perUser = "per_user"
    case coldRecall20 = "cold_recall20"
  }

  func rows(_ pairs: [[Int32]]) -> InteractionRows {
    InteractionRows(userCount: users, users: pairs.map { $0[0] }, items: pairs.map { $0[1] })
  }

  var evaluator: RankingEvaluator {
    RankingEvaluator(
      itemCount: items, warmItems: warm, coldItems: cold, train: rows(train),
      testWarm: rows(testWarm), testCold: rows(testCold), balancedCold: rows(balancedCold))
  }

  func results() -> [RankingEvaluator.UserResult] {
    let evaluator = evaluator
    var workspace = RankingEvaluator.Workspace(for: evaluator)
    return evaluator.users.map { user in
      scores[user].map(\.value).withUnsafeBufferPointer {
        evaluator.evaluate(user: user, scores: $0, workspace: &workspace)
      }
    }
  }
}

@Suite struct RankingEvaluatorTests {
  @Test func everyUserAsBaselines() throws {
    let golden = try golden("ranking.json", as: RankingGolden.self)
    let results = golden.results()
    for set in RankingEvaluator.CandidateSet.allCases {
      let expected = try #require(golden.perUser[set.rawValue])
      #expect(results.filter { $0[set] != nil }.count == expected.count)
      for result in results {
        let values = expected["\(result.user)"]
        #expect((result[set] == nil) == (values == nil))
        for (name, pair) in zip(RankingMetrics.names, zip(result[set]?.values ?? [], values ?? []))
        {
          if let expected = pair.1 {
            expectClose(pair.0, expected, absolute: 1e-9, "user \(result.user) \(set) \(name)")
          } else {
            #expect(pair.0.isNaN)
          }
        }
      }
    }
  }

  @Test func meansAndErrorsAsBaselines() throws {
    let golden = try golden("ranking.json", as: RankingGolden.self)
    let report = RankingReport(golden.results())
    for set in RankingEvaluator.CandidateSet.allCases {
      for name in RankingMetrics.names {
        let summary = try #require(report[set]?[name])
        let expected = try #require(golden.means[set.rawValue]?[name])
        expectClose(summary.mean, expected[0], absolute: 1e-9, "\(set) \(name)")
        expectClose(summary.standardError, expected[1], absolute: 1e-9, "\(set) \(name)")
        #expect(summary.interval[0] <= summary.mean && summary.mean <= summary.interval[1])
      }
    }
    expectClose(report.coldRecall20, golden.coldRecall20, absolute: 1e-9)
  }

  /// Two warm items, two cold ones; all is small enough to see.
  @Test func setsByHand() {
    let evaluator = RankingEvaluator(
      itemCount: 5, warmItems: [0, 1, 2], coldItems: [3, 4],
      train: InteractionRows(userCount: 3, users: [0, 1], items: [0, 0]),
      testWarm: InteractionRows(userCount: 3, users: [0, 2], items: [1, 1]),
      testCold: InteractionRows(userCount: 3, users: [0, 0], items: [3, 4]),
      balancedCold: InteractionRows(userCount: 3, users: [0], items: [4]))
    #expect(evaluator.users == [0])
    #expect(evaluator.usersWithoutHistory == 1)
    var workspace = RankingEvaluator.Workspace(for: evaluator)
    let result = [9, 2, 3, 5, 1].map { Float($0) }.withUnsafeBufferPointer {
      evaluator.evaluate(user: 0, scores: $0, workspace: &workspace)
    }
    // cold: both candidates are relevant. warm: 2 before 1. all: 3, 2, 1, 4. balanced: 2, 1, 4.
    #expect(result[.cold]?.auc.isNaN == true)
    #expect(result[.warm]?.reciprocalRank == 0.5)
    #expect(result[.all]?.reciprocalRank == 1)
    expectClose(result[.all]?.auc ?? -1, 1.0 / 3, absolute: 1e-12)
    #expect(result[.balanced]?.reciprocalRank == 0.5)
    #expect(result[.balanced]?.auc == 0)
    #expect(result.coldShare20 == 0.5)
    #expect(result.coldRecall20 == 1)
    // The workspace is clean again.
    let again = [9, 2, 3, 5, 1].map { Float($0) }.withUnsafeBufferPointer {
      evaluator.evaluate(user: 0, scores: $0, workspace: &workspace)
    }
    #expect(again[.balanced] == result[.balanced])
    #expect(again[.warm] == result[.warm])
  }
}
