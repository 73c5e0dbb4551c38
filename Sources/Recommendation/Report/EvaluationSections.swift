import Metrics
public import Reporting

/// The measured part of a report: metrics beside the baselines, by groups, and calibration.
public struct EvaluationSections {
  let evaluation: Evaluation

  /// Takes the figures.
  public init(_ evaluation: Evaluation) { self.evaluation = evaluation }

  /// The sections, in the order of a report.
  public var sections: [Page.Section] {
    [summary, metrics, itemAges, histories, calibration]
  }

  private typealias CandidateSet = RankingEvaluator.CandidateSet
  private var methods: [MethodResult] { evaluation.methods }
  private var model: MethodResult? { methods.first { $0.name == Evaluation.modelName } }
  private var isInner: Bool { evaluation.split.info == nil }
  private var others: String { isInner ? "its parts alone" : "the baselines" }

  private static let names: [(CandidateSet, String, String)] = [
    (.cold, "New items", "Only items without behaviours are ranked."),
    (.warm, "Known items", "Only items with behaviours are ranked."),
    (
      .balanced, "Both, balanced",
      "Both kinds are ranked together; new items keep as large a share of their positives as known ones."
    ),
    (
      .all, "Both, with all positives of new items",
      "New items have several times the test positives of known ones here: showing many of them pays."
    ),
  ]

  private func mean(_ method: MethodResult, _ set: CandidateSet, _ name: String = "ndcg@20")
    -> Double
  { method.report[set]?[name]?.mean ?? .nan }

  /// The best of the others on a set.
  private func best(_ set: CandidateSet) -> (name: String, value: Double)? {
    methods.filter { $0.name != Evaluation.modelName && mean($0, set).isFinite }
      .map { ($0.name, mean($0, set)) }.max { $0.1 < $1.1 }
  }

  private var summary: Page.Section {
    guard let model else { return .init("Summary") }
    var tiles: [(value: String, name: String)] = []
    var lines: [String] = []
    for (set, title, _) in EvaluationSections.names.prefix(3) where mean(model, set).isFinite {
      tiles.append((decimals(mean(model, set), 3), "NDCG@20, \(title.lowercased())"))
      guard let best = best(set) else { continue }
      let gain = mean(model, set) / best.value - 1
      lines.append(
        "\(title): \(decimals(mean(model, set), 4)), "
          + (best.value > 0
            ? "\(decimals(abs(100 * gain), 1))% \(gain >= 0 ? "above" : "below") the best of \(others)"
            : "the best of \(others) is")
          + " (\(best.name), \(decimals(best.value, 4))).")
    }
    if let recall = model.report[.cold]?["recall@20"]?.mean, recall.isFinite {
      tiles.append((percent(recall), "of new items' positives in the first 20 (recall@20)"))
    }
    if model.report.coldShare20.isFinite {
      tiles.append(
        (percent(model.report.coldShare20), "of the places in mixed lists go to new items"))
    }
    tiles.append((grouped(evaluation.split.evaluated.count), "users evaluated"))
    return .init("Summary", [.tiles(tiles), .text(lines.joined(separator: " "))])
  }

  private var metrics: Page.Section {
    var section = Page.Section("New and known items")
    let sets = EvaluationSections.names.filter { entry in
      methods.contains { mean($0, entry.0).isFinite }
    }
    section.blocks.append(
      .text(
        "The mean over users; whiskers and brackets are 95% intervals of a bootstrap over users."
          + (evaluation.comparisons.isEmpty
            ? ""
            : " Intervals of two methods may overlap though one is better for the same users: the paired "
              + "table compares those.")))
    section.blocks.append(
      .figures(
        sets.prefix(3).map { set, title, _ in
          (
            IntervalChart(
              "NDCG@20 of each method: \(title)", label: "NDCG@20",
              methods.map { method in
                let summary = method.report[set]?["ndcg@20"]
                return .init(
                  method.name, summary?.mean ?? .nan, summary?.interval ?? [],
                  isOurs: method.name == Evaluation.modelName)
              }), title
          )
        }))
    for (set, title, text) in sets {
      section.blocks.append(.folded(table(set, title, text)))
    }
    if !evaluation.comparisons.isEmpty { section.blocks.append(.folded(comparisons)) }
    if !evaluation.skipped.isEmpty {
      let names = evaluation.skipped.map { "\($0.name) (\($0.reason))" }
      section.blocks.append(.text("Left out: \(names.joined(separator: "; "))."))
    }
    return section
  }

  private func table(_ set: CandidateSet, _ title: String, _ text: String) -> Table {
    let users = methods.first?.report[set]?.users ?? 0
    return Table(
      "\(title), \(grouped(users)) users. \(text)",
      header: ["method", "NDCG@20", "95% interval"]
        + ["Recall@20", "Recall@100", "NDCG@10", "HR@10", "MRR", "AUC"]
        + (set == .all ? ["new shown", "coverage", "Gini"] : []),
      methods.map { method in
        let ndcg = method.report[set]?["ndcg@20"]
        let others = ["recall@20", "recall@100", "ndcg@10", "hr@10", "mrr", "auc"]
        let exposure =
          set == .all
          ? [
            percent(method.report.coldShare20), percent(method.exposure.coverage),
            decimals(method.exposure.gini, 3),
          ] : []
        return .init(
          [method.name, decimals(ndcg?.mean ?? .nan, 4), interval(ndcg)]
            + others.map { decimals(mean(method, set, $0), 4) } + exposure,
          isStrong: method.name == Evaluation.modelName)
      })
  }

  private func interval(_ summary: MetricSummary?) -> String {
    guard let summary, summary.mean.isFinite else { return "\u{2013}" }
    return "[\(decimals(summary.interval[0], 4)), \(decimals(summary.interval[1], 4))]"
  }

  private var comparisons: Table {
    Table(
      "NDCG@20 of the model minus each other method, over the same users",
      header: ["method", "candidates", "difference", "95% interval", "p at most"],
      evaluation.comparisons.map {
        let r = $0.result
        return .init([
          $0.baseline, $0.set.rawValue, decimals(r.difference, 4),
          "[\(decimals(r.interval[0], 4)), \(decimals(r.interval[1], 4))]", decimals(r.p, 4),
        ])
      })
  }
}
