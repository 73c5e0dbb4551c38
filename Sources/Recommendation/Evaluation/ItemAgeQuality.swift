import Kernels
public import Metrics

/// How well a method does on the items with so many behaviours in training.
public struct ItemAgeQuality: Sendable {
  /// The behaviours.
  public let range: CountRange
  /// Candidates with so many.
  public let items: Int
  /// Users with a held-out positive among them.
  public let users: Int
  /// NDCG@20 where these items alone are ranked; for 0 behaviours the same as on the cold set.
  public let ndcg20: MetricSummary
  /// The share of a user's held-out positives among these items that the first 20 of all items show.
  public let recall20: MetricSummary
}

/// What one user's scores give on the items of one age.
struct AgeResult {
  let ndcg20: Double
  let recall20: Double
}

/// The items of a split, grouped by their training positives.
struct AgeGroups {
  private let group: [UInt8]
  private let items: [Int]
  private let relevant: [SparseMatrix]
  private let tieOrder: [Int32]

  init(_ split: EvaluationSplit) {
    let counts = split.train.columnSums()
    let ages = counts.map { count in
      UInt8(CountRange.place(of: Int(count), in: CountRange.itemAges) ?? 0)
    }
    group = ages
    items = CountRange.itemAges.indices.map { age in
      (split.warmItems + split.coldItems).reduce(0) {
        $0 + (Int(ages[Int($1)]) == age ? 1 : 0)
      }
    }
    relevant = [split.coldPositives, split.warmPositives]
    tieOrder = split.tieOrder
  }

  /// A user's results by age, nil where nothing is relevant.
  ///
  /// - Parameters:
  ///   - candidates: the items that are ranked for this user.
  ///   - top: the first 20 of them.
  func results(
    user: Int, scores: UnsafeBufferPointer<Float>, candidates: [Int32], top: [Int32]
  ) -> [AgeResult?] {
    var wanted = [[Int32]](repeating: [], count: CountRange.itemAges.count)
    for matrix in relevant {
      for item in matrix.columns(ofRow: user) { wanted[Int(group[Int(item)])].append(item) }
    }
    var ranked = [[Int32]](repeating: [], count: wanted.count)
    for item in candidates where !wanted[Int(group[Int(item)])].isEmpty {
      ranked[Int(group[Int(item)])].append(item)
    }
    return wanted.indices.map { age in
      guard !wanted[age].isEmpty else { return nil }
      // Of a split made elsewhere, a positive may be in training too and is then no candidate.
      let known = Set(ranked[age])
      let present = wanted[age].filter { known.contains($0) }
      let ranks = ranked[age].withUnsafeBufferPointer {
        RelevantRanks(
          scores: scores, candidates: $0, relevant: present,
          missed: wanted[age].count - present.count, tieOrder: tieOrder)
      }
      let found = top.reduce(0) { $0 + (wanted[age].contains($1) ? 1 : 0) }
      return AgeResult(
        ndcg20: RankingMetrics(ranks: ranks.ranks, auc: ranks.auc).ndcg20,
        recall20: Double(found) / Double(wanted[age].count))
    }
  }

  /// Means over users with intervals.
  func summaries(_ results: [[AgeResult?]], seed: UInt64) -> [ItemAgeQuality] {
    CountRange.itemAges.indices.map { age in
      let values = results.compactMap { $0[age] }
      return ItemAgeQuality(
        range: CountRange.itemAges[age], items: items[age], users: values.count,
        ndcg20: MetricSummary(values.map(\.ndcg20), seed: seed),
        recall20: MetricSummary(values.map(\.recall20), seed: seed))
    }
  }
}
