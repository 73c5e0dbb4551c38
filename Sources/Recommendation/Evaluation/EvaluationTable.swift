import Foundation
import Metrics

extension Evaluation {
  /// The tables for people: a block for each candidate set, the comparisons, the labels.
  public var table: String {
    var blocks: [String] = [header]
    for set in [RankingEvaluator.CandidateSet.cold, .warm, .balanced, .all] {
      if let block = block(set) { blocks.append(block) }
    }
    blocks += [itemAgeBlock, historyBlock]
    if !comparisons.isEmpty { blocks.append(comparisonBlock) }
    if !labels.isEmpty { blocks.append(labelBlock) }
    if !skipped.isEmpty {
      blocks.append(skipped.map { "left out: \($0.name) (\($0.reason))" }.joined(separator: "\n"))
    }
    return blocks.joined(separator: "\n\n")
  }

  private var header: String {
    var line =
      "\(split.part.rawValue): \(split.evaluated.count) users, \(split.coldItems.count) cold and "
      + "\(split.warmItems.count) warm items; every candidate is ranked"
    if split.usersWithoutHistory > 0 {
      line += "; \(split.usersWithoutHistory) users without a training positive are left out"
    }
    if newUsers > 0 { line += "; \(newUsers) users are new to the model" }
    return line
  }

  private func block(_ set: RankingEvaluator.CandidateSet) -> String? {
    let rows = methods.compactMap { method in method.report[set].map { (method, $0) } }
    guard let users = rows.first?.1.users, users > 0 else { return nil }
    let isAll = set == .all
    var lines = ["\(title(set)), \(users) users"]
    lines.append(
      "\(padded("", 20)) Recall@20 Recall@100 NDCG@10 NDCG@20 95% interval       HR@10    MRR    AUC"
        + (isAll ? "  cold R@20 cold share coverage  Gini" : ""))
    for (method, summary) in rows {
      let means = summary.metrics.map(\.mean)
      let interval = summary["ndcg@20"]?.interval ?? [.nan, .nan]
      var line =
        padded(method.name, 20) + right(means[0], 10) + right(means[1], 11) + right(means[2], 8)
        + right(means[3], 8) + " [\(four(interval[0])), \(four(interval[1]))]"
        + right(means[4], 7) + right(means[5], 7) + right(means[6], 7)
      if isAll {
        line +=
          right(method.report.coldRecall20, 11) + right(method.report.coldShare20, 11)
          + right(method.exposure.coverage, 9) + right(method.exposure.gini, 7)
      }
      lines.append(line)
    }
    return lines.joined(separator: "\n")
  }

  private func title(_ set: RankingEvaluator.CandidateSet) -> String {
    switch set {
    case .cold: "cold items alone"
    case .warm: "warm items alone"
    case .balanced: "balanced: both, cold positives thinned to the share of the warm ones"
    case .all: "all: both, with all cold positives"
    }
  }

  /// Methods by the ages of items; a group without users is left out.
  private var itemAgeBlock: String {
    let first = methods.first?.itemAges ?? []
    let places = first.indices.filter { first[$0].users > 0 }
    let title = "NDCG@20 among the items with so many behaviours in training"
    return groupBlock(title, places.map { first[$0].range.name }) { method in
      places.map { method.itemAges[$0].ndcg20.mean }
    }
  }

  /// Methods by the lengths of users' histories.
  private var historyBlock: String {
    let first = methods.first?.histories ?? []
    let places = first.indices.filter { first[$0].users > 0 }
    let names = places.map { first[$0].range.name }
    let sets: [RankingEvaluator.CandidateSet] = [.cold, .warm].filter { set in
      places.contains { !(first[$0][set]?.mean ?? .nan).isNaN }
    }
    let columns = sets.flatMap { set in names.map { "\(set.rawValue) \($0)" } }
    let title = "NDCG@20 for users with so many behaviours in training"
    return groupBlock(title, columns) { method in
      sets.flatMap { set in places.map { method.histories[$0][set]?.mean ?? .nan } }
    }
  }

  private func groupBlock(
    _ title: String, _ columns: [String], _ values: (MethodResult) -> [Double]
  ) -> String {
    let widths = columns.map { max(8, $0.utf8.count + 2) }
    let header = zip(columns, widths).map { name, width in
      String(repeating: " ", count: width - name.utf8.count) + name
    }
    return
      ([title, padded("", 20) + header.joined()]
      + methods.map { method in
        padded(method.name, 20) + zip(values(method), widths).map { right($0, $1) }.joined()
      }).joined(separator: "\n")
  }

  private var comparisonBlock: String {
    var lines = [
      "NDCG@20, \(Evaluation.modelName) minus baseline over the same users: difference, 95% "
        + "interval, p"
    ]
    for comparison in comparisons {
      let r = comparison.result
      lines.append(
        "\(padded(comparison.baseline, 20)) \(padded(comparison.set.rawValue, 5))"
          + String(
            format: "%+.4f  [%+.4f, %+.4f]  p <= %.4f", r.difference, r.interval[0],
            r.interval[1], r.p))
    }
    return lines.joined(separator: "\n")
  }

  private var labelBlock: String {
    var lines = ["labels of held-out rows, the model beside the mean training label"]
    for entry in labels {
      for (name, metrics) in [(Evaluation.modelName, entry.model), ("mean label", entry.constant)] {
        var line = "\(padded(entry.set, 5))\(padded(name, 12))"
        if let b = metrics.binary {
          line += String(
            format: "%d rows: accuracy %.4f  precision %.4f  recall %.4f  F1 %.4f  AUC %.4f",
            b.count, b.accuracy, b.precision, b.recall, b.f1, b.auc)
        }
        if let r = metrics.rating {
          line += String(
            format: "%d rows: MAE %.4f  MSE %.4f  RMSE %.4f", r.count, r.mae, r.mse, r.rmse)
        }
        lines.append(line)
      }
    }
    return lines.joined(separator: "\n")
  }

  private func right(_ value: Double, _ width: Int) -> String {
    let text = four(value)
    return String(repeating: " ", count: max(1, width - text.utf8.count)) + text
  }

  private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.utf8.count))
  }

  private func four(_ value: Double) -> String { value.isNaN ? "-" : fixed(value, 4) }
}

/// A number with so many decimals.
func fixed(_ value: Double, _ decimals: Int) -> String {
  String(format: "%.\(decimals)f", value)
}
