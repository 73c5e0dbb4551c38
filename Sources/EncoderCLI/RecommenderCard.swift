import Foundation
import Metrics
import Recommendation
import Reporting

/// The model card of a fine-tuned recommender, in Hugging Face's form.
struct RecommenderCard {
  private let recommender: Recommender
  private let name: String
  private let data: String
  private let base: String

  /// Takes a model and its name, the behaviours it learned from, and the encoder it began with.
  init(_ recommender: Recommender, name: String, behaviors: String, from: URL) {
    self.recommender = recommender
    self.name = name
    data = behaviors == "-" ? "behaviours" : URL(fileURLWithPath: behaviors).lastPathComponent
    base = from.lastPathComponent
  }

  var text: String {
    [
      metadata, description, use, training, evaluation, limits,
    ].joined(separator: "\n\n") + "\n"
  }

  // MARK: Metadata

  private var metadata: String {
    var lines = [
      "---", "library_name: encoder", "tags:", "- recommendation", "- cold-start",
      "- sentence-embedding",
    ]
    let results = self.results
    if !results.isEmpty {
      lines += [
        "metrics:", "- ndcg", "- recall", "model-index:",
        "- name: \(CardText.quoted(name))", "  results:",
      ]
      for (task, metrics) in results {
        lines += [
          "  - task:", "      type: recommendation", "      name: \(task)", "    dataset:",
          "      type: behaviours", "      name: \(CardText.quoted(data))",
          "      split: validation", "    metrics:",
        ]
        for (kind, title, value) in metrics {
          lines += [
            "    - type: \(kind)", "      name: \(title)",
            "      value: \(String(format: "%.4f", value))",
          ]
        }
      }
    }
    return (lines + ["---"]).joined(separator: "\n")
  }

  private typealias Metric = (kind: String, title: String, value: Double)

  private var results: [(task: String, metrics: [Metric])] {
    let model = recommender.validation?.methods.first
    let sets: [(RankingEvaluator.CandidateSet, String)] = [
      (.cold, "new items"), (.warm, "items with behaviours"), (.balanced, "both, balanced"),
    ]
    return sets.compactMap { set, task in
      guard let summary = model?.report[set] else { return nil }
      let metrics: [Metric] = [
        ("ndcg", "NDCG@20", summary["ndcg@20"]?.mean ?? .nan),
        ("recall", "Recall@20", summary["recall@20"]?.mean ?? .nan),
      ]
      let known = metrics.filter(\.value.isFinite)
      return known.isEmpty ? nil : (task, known)
    }
  }

  // MARK: Sections

  private var description: String {
    let r = recommender
    let c = r.model.configuration
    return """
      # \(name)

      Ranks \(r.items.count) items, new ones among them, for \(r.users.count) users. A new item is placed \
      by its text alone; an item with behaviours keeps what collaborative filtering knows of it. \
      Fine-tuned by `encoder finetune`; `report.html` has plots, until `encoder forget` removes it.

      - **Encoder**: `\(base)`, \(c.layerCount) layers of width \(c.hiddenSize), frozen
      - **Item vectors**: \(r.space.towerVectors.columnCount) values
      - **Fusion**: \(r.fusion.summary)
      """
  }

  private var use: String {
    """
    ## Use

        encoder recommend --model PATH --user ID --candidates cold --top 10
        encoder score --model PATH pairs.csv
        encoder embed --model PATH --text "a new item"

    Meant for ranking the items of its catalogue, and new items of the same kind, for its users or for \
    users with similar histories.
    """
  }

  private var training: String {
    let (r, o) = (recommender, recommender.options)
    let report = r.report
    let adapters =
      r.metrics.adapterValidation.map {
        String(
          format: "%@, %d parameters: %.4f with them, %.4f without; %@",
          o.adapterKind.rawValue, r.metrics.adapterParameters ?? 0, $0, r.metrics.frozenValidation,
          r.adapters == nil ? "left out" : "kept")
      } ?? String(format: "not trained; towers alone %.4f", r.metrics.frozenValidation)
    let rows: [(String, String)] = [
      ("data", data), ("behaviours", "\(report.rowsKept) kept of \(report.rowsRead) read"),
      ("positive", "\(report.positives): \(r.rule.reason)"),
      ("users, items", "\(report.users), \(report.items)"),
      ("items with behaviours", "\(report.itemsWithBehaviors)"),
      ("unknown pieces in the texts", String(format: "%.2f%%", 100 * r.metrics.unknownShare)),
      ("loss", o.towers.loss.rawValue), ("validation of the towers", adapters),
      ("tower epochs", "\(r.metrics.towerEpochs)"), ("longest text", "\(o.maximumLength) tokens"),
      ("learning rate", "\(o.towers.learningRate)"), ("batch", "\(o.towers.batch) users"),
      ("time", o.minutes.map { "\($0) minutes at most" } ?? "by epochs"),
      ("seed, threads", "\(o.seed), \(o.threads)"),
    ]
    return "## Training\n\n| | |\n|---|---|\n"
      + rows.map { "| \($0.0) | \(CardText.cell($0.1)) |" }.joined(separator: "\n")
  }

  private var evaluation: String {
    let m = recommender.metrics
    let names = Set(m.coldParts.keys).union(m.warmParts.keys)
    func number(_ value: Double?) -> String { value.map { String(format: "%.4f", $0) } ?? "-" }
    let parts = names.sorted {
      (-(m.coldParts[$0] ?? -1), $0) < (-(m.coldParts[$1] ?? -1), $1)
    }.map { "| \($0) | \(number(m.coldParts[$0])) | \(number(m.warmParts[$0])) |" }
    return """
      ## Evaluation

      | NDCG@20 on the program's own validation | new items | items with behaviours |
      |---|---|---|
      | **fusion** | \(number(m.coldNDCG)) | \(number(m.warmNDCG)) |
      \(parts.joined(separator: "\n"))

      Of the items with behaviours \(percent(InnerSplit.coldShare, 0)) played new, \
      \(grouped(InnerSplit.mostCold)) at most, and of the others' behaviours \
      \(percent(InnerSplit.share, 0)) were held out. The fusion's weights were chosen there, so its figures \
      are a little flattering; \
      `encoder evaluate` measures on behaviours that were hidden from the whole of training.\
      \(m.labels.map { "\n\nHeld-out labels: \($0.summary)." } ?? "")
      """
  }

  private var limits: String {
    """
    ## Limits

    Rankings repeat what past behaviours favoured, popularity and its gaps included, and follow the \
    language and the biases of the texts that the encoder was pretrained on. New items in a language \
    that the vocabulary doesn't know are placed badly: see the share of unknown pieces above. The folder \
    holds users' histories: treat it as personal data.
    """
  }
}
