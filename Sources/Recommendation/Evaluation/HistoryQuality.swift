public import Metrics

/// How well a method does for the users with so many behaviours in training.
public struct HistoryQuality: Sendable {
  /// The behaviours.
  public let range: CountRange
  /// Users with so many who are evaluated.
  public let users: Int
  /// NDCG@20 on each candidate set, in the order of `RankingEvaluator.CandidateSet.allCases`.
  public let ndcg20: [MetricSummary]

  /// NDCG@20 on a candidate set.
  public subscript(set: RankingEvaluator.CandidateSet) -> MetricSummary? {
    RankingEvaluator.CandidateSet.allCases.firstIndex(of: set).map { ndcg20[$0] }
  }

  /// Means over the users of each range; `lengths` has the length of each result's history.
  static func summaries(
    _ results: [RankingEvaluator.UserResult], lengths: [Int], seed: UInt64
  ) -> [HistoryQuality] {
    CountRange.histories.map { range in
      let rows = zip(results, lengths).filter { range.counts.contains($0.1) }.map(\.0)
      return HistoryQuality(
        range: range, users: rows.count,
        ndcg20: RankingEvaluator.CandidateSet.allCases.map { set in
          MetricSummary(rows.compactMap { $0[set]?.ndcg20 }, seed: seed)
        })
    }
  }
}
