import Datasets
import Foundation
import Kernels
import Metrics
import Recommendation
import TestSupport
import Testing

/// The deterministic baselines on a small split, against what bench/baselines.py measured.
@Suite struct EvaluationGoldenTests {
  private struct Entry: Decodable {
    struct Means: Decodable {
      var users: Int
      /// In the order of `RankingMetrics.names`; nil where there is no value.
      var means: [Double?]
    }
    var cold: Means
    var warm: Means
    var all: Means
    var bal: Means
    /// Cold recall and cold share at 20 in all.
    var share: [Double?]
  }

  private let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Goldens/evaluation")

  init() { BLAS.useSingleThread() }

  @Test(arguments: EvaluationSplit.Part.allCases)
  func deterministicBaselines(_ part: EvaluationSplit.Part) throws {
    let golden = try JSONDecoder().decode(
      [String: [String: Entry]].self,
      from: Data(contentsOf: folder.appendingPathComponent("expected.json")))
    let expected = try #require(golden[part == .test ? "test" : "val"])
    let items = try ItemTable.load(from: folder.appendingPathComponent("items.csv"))
    let split = try ColdSplit.read(from: folder.appendingPathComponent("split"))
    var options = Evaluation.Options()
    options.baselines = [.popularity, .tfidfProfile, .tfidfKNN, .ease, .easeSpread]
    let evaluation = try Evaluation.run(
      baselinesOver: items, on: try EvaluationSplit(split, catalogue: items.ids, part: part),
      options: options, workers: Workers(count: 2))
    #expect(evaluation.methods.map(\.name) == options.baselines.map(\.rawValue))
    for method in evaluation.methods {
      let entry = try #require(expected[method.name])
      for (set, golden) in [
        (RankingEvaluator.CandidateSet.cold, entry.cold), (.warm, entry.warm), (.all, entry.all),
        (.balanced, entry.bal),
      ] {
        let found = try #require(method.report[set])
        #expect(found.users == golden.users, "\(method.name), \(set)")
        for (place, name) in RankingMetrics.names.enumerated() {
          let value = found.metrics[place].mean
          guard let mean = golden.means[place] else {
            #expect(value.isNaN, "\(method.name), \(set), \(name)")
            continue
          }
          expectClose(value, mean, absolute: 1e-6, "\(method.name), \(set), \(name)")
        }
      }
      expectClose(method.report.coldRecall20, entry.share[0] ?? .nan, absolute: 1e-6, method.name)
      expectClose(method.report.coldShare20, entry.share[1] ?? .nan, absolute: 1e-6, method.name)
    }
  }
}
