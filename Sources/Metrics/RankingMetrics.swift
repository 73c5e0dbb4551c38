import Foundation

/// The ranking metrics of one user, or their means over users.
///
/// With R the relevant items and rank counted from 0 among all candidates:
/// recall@k = |R in the first k| / |R|; ndcg@k = sum over R in the first k of 1 / log2(rank + 2),
/// divided by the largest value it can have, sum over i < min(|R|, k) of 1 / log2(i + 2); hr@10 = 1 when
/// any of R is in the first 10; mrr = 1 / (least rank + 1); auc = the share of pairs of a relevant and
/// another candidate that are in the right order, ties counting half, NaN when all candidates are
/// relevant.
public struct RankingMetrics: Sendable, Codable, Equatable {
  /// The share of the relevant items in the first 20.
  public var recall20: Double
  /// The share of the relevant items in the first 100.
  public var recall100: Double
  /// Normalised discounted cumulative gain of the first 10.
  public var ndcg10: Double
  /// Normalised discounted cumulative gain of the first 20.
  public var ndcg20: Double
  /// Whether a relevant item is in the first 10.
  public var hitRate10: Double
  /// One over the place, from 1, of the first relevant item.
  public var reciprocalRank: Double
  /// The share of rightly ordered pairs.
  public var auc: Double

  /// The metrics' names, in the order of `values`.
  public static let names = [
    "recall@20", "recall@100", "ndcg@10", "ndcg@20", "hr@10", "mrr", "auc",
  ]

  /// The seven values, in the order of `names`.
  public var values: [Double] {
    [recall20, recall100, ndcg10, ndcg20, hitRate10, reciprocalRank, auc]
  }

  /// Creates metrics from seven values in the order of `names`.
  public init(values: [Double]) {
    precondition(values.count == 7, "\(values.count) values instead of 7")
    (recall20, recall100, ndcg10, ndcg20) = (values[0], values[1], values[2], values[3])
    (hitRate10, reciprocalRank, auc) = (values[4], values[5], values[6])
  }

  /// Computes the metrics from the ranks, from 0, of the relevant items; there is at least one.
  public init(ranks: [Int], auc: Double) {
    precondition(!ranks.isEmpty, "a user without relevant items has no metrics")
    let count = Double(ranks.count)
    func share(_ k: Int) -> Double { Double(ranks.reduce(0) { $0 + ($1 < k ? 1 : 0) }) / count }
    func ndcg(_ k: Int) -> Double {
      let gain = ranks.reduce(0.0) { $0 + ($1 < k ? RankingMetrics.discounts[$1] : 0) }
      return gain / RankingMetrics.discounts.prefix(min(ranks.count, k)).reduce(0, +)
    }
    recall20 = share(20)
    recall100 = share(100)
    ndcg10 = ndcg(10)
    ndcg20 = ndcg(20)
    hitRate10 = ranks.contains { $0 < 10 } ? 1 : 0
    reciprocalRank = 1 / Double((ranks.min() ?? 0) + 1)
    self.auc = auc
  }

  /// 1 / log2(rank + 2) for the first 20 ranks.
  private static let discounts = (0..<20).map { 1 / log2(Double($0) + 2) }
}
