/// A mean over users with its standard error and a 95% interval.
public struct MetricSummary: Sendable, Codable, Equatable {
  /// The mean over the users that have a value.
  public let mean: Double
  /// The standard deviation (divided by n) over the root of the number of users.
  public let standardError: Double
  /// The ends of the 95% interval, from a bootstrap over users.
  public let interval: [Double]
}

/// The means over users of all metrics in all candidate sets.
public struct RankingReport: Sendable {
  /// One candidate set.
  public struct SetSummary: Sendable {
    /// The set.
    public let set: RankingEvaluator.CandidateSet
    /// The users with a relevant item.
    public let users: Int
    /// A summary of each metric, in the order of `RankingMetrics.names`.
    public let metrics: [MetricSummary]

    /// The summary of the metric with this name, `ndcg@20` for example.
    public subscript(name: String) -> MetricSummary? {
      RankingMetrics.names.firstIndex(of: name).map { metrics[$0] }
    }
  }

  /// The sets in the order of `CandidateSet.allCases`.
  public let sets: [SetSummary]
  /// The mean share of a user's cold positives in the first 20 of all; NaN without any.
  public let coldRecall20: Double
  /// The mean share of cold items in the first 20 of all; NaN without users.
  public let coldShare20: Double

  /// Averages the users' results.
  ///
  /// - Parameters:
  ///   - draws: how often the users are drawn again for the interval.
  ///   - seed: of the draws.
  public init(_ results: [RankingEvaluator.UserResult], draws: Int = 1000, seed: UInt64 = 1) {
    sets = RankingEvaluator.CandidateSet.allCases.map { set in
      let rows = results.compactMap { $0[set] }
      let columns = RankingMetrics.names.indices.map { metric in rows.map { $0.values[metric] } }
      return SetSummary(
        set: set, users: rows.count,
        metrics: columns.map { MetricSummary($0, draws: draws, seed: seed) })
    }
    func mean(_ values: [Double]) -> Double {
      values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count)
    }
    coldRecall20 = mean(results.compactMap(\.coldRecall20))
    coldShare20 = mean(results.compactMap(\.coldShare20))
  }

  /// The summary of a set.
  public subscript(set: RankingEvaluator.CandidateSet) -> SetSummary? {
    sets.first { $0.set == set }
  }
}

extension MetricSummary {
  /// Summarises one value a user; NaN values are left out of the mean and the interval.
  public init(_ values: [Double], draws: Int = 1000, seed: UInt64 = 1) {
    let known = values.filter { !$0.isNaN }
    guard !known.isEmpty else {
      self.init(mean: .nan, standardError: .nan, interval: [.nan, .nan])
      return
    }
    let mean = known.reduce(0, +) / Double(known.count)
    let variance = known.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(known.count)
    let means = bootstrapMeans(known, draws: draws, seed: seed)
    self.init(
      mean: mean, standardError: (variance / Double(values.count)).squareRoot(),
      interval: [percentile(means, 2.5), percentile(means, 97.5)])
  }
}
