import Datasets
public import Kernels
import Metrics
public import Reporting

/// The report of a fine-tuned model: what was measured, how it was trained, and what it learned from.
public struct RecommenderReport {
  /// The name of a report in a model's directory.
  ///
  /// A report lists a few users' behaviours as samples, so ``ModelVersions/forget(user:refitting:workers:)``
  /// removes it.
  public static let fileName = "report.html"
  let recommender: Recommender
  let evaluation: Evaluation?
  let records: [FinetuneRecord]
  let name: String
  let workers: Workers

  /// Gathers what the report is about.
  ///
  /// - Parameters:
  ///   - evaluation: of held-out rows, or the one that fine-tuning made inside its behaviours.
  ///   - records: the epochs of training, empty where they aren't known.
  ///   - name: what the model is called.
  public init(
    _ recommender: Recommender, evaluation: Evaluation?, records: [FinetuneRecord], name: String,
    workers: Workers
  ) {
    self.recommender = recommender
    self.evaluation = evaluation
    self.records = records
    self.name = name
    self.workers = workers
  }

  /// The page.
  ///
  /// - Throws: `ALSError` when users can't be folded in for the samples, `WhiteningError` when the items'
  ///   vectors can't be projected.
  public func page() throws -> Page {
    let (items, users) = (recommender.items.count, recommender.users.count)
    var sections: [Page.Section] = []
    if let evaluation { sections += EvaluationSections(evaluation).sections }
    sections += [
      training, fusion, try ItemMap(recommender, workers: workers).section,
      try SampleLists(recommender, evaluation?.split, workers: workers).section,
    ]
    sections += DataSections(recommender).sections
    sections.append(settings)
    return Page(
      name,
      subtitle: "Ranks \(grouped(items)) items, new ones among them, for \(grouped(users)) users. "
        + (evaluation?.origin ?? ""), sections)
  }

  private var training: Page.Section {
    var section = Page.Section("Training")
    for (stage, title) in [("towers", "Towers"), ("adapters", "Adapters")] {
      let epochs = records.filter { $0.stage == stage }
      guard !epochs.isEmpty else { continue }
      func line(_ value: (FinetuneRecord) -> Double) -> [(x: Double, y: Double)] {
        epochs.map { (Double($0.epoch), value($0)) }
      }
      let isPointwise = recommender.options.towers.loss.isPointwise
      let measure =
        isPointwise ? "minus the loss" : "NDCG@20"
      section.blocks.append(
        .group(
          title,
          [
            .figures([
              (
                LineChart(
                  "Training loss of the \(stage) by epoch", x: "epoch", y: "training loss",
                  height: 220, [.init("loss", line(\.loss), hasMarks: true)]),
                "Training loss (\(recommender.options.towers.loss.rawValue))"
              ),
              (
                LineChart(
                  "Validation of the \(stage) by epoch", x: "epoch", y: measure, height: 220,
                  [.init("validation", line(\.validation), hasMarks: true)]),
                isPointwise
                  ? "Held-out rows: higher is better" : "Items that play new: higher is better"
              ),
            ]),
            .folded(
              Table(
                "\(title) by epoch", header: ["epoch", "loss", "validation", "seconds"],
                epochs.map {
                  .init([
                    "\($0.epoch)", decimals($0.loss, 4), decimals($0.validation, 4),
                    decimals($0.seconds, 1),
                  ])
                })),
          ]))
    }
    let m = recommender.metrics
    let adapters =
      m.adapterValidation.map {
        "Adapters reached a validation of \(decimals($0, 4)) against "
          + "\(decimals(m.frozenValidation, 4)) without them and were "
          + (recommender.adapters == nil ? "left out." : "kept.")
      } ?? "No adapters were trained; the towers alone reached \(decimals(m.frozenValidation, 4))."
    if !section.blocks.isEmpty { section.blocks.append(.text(adapters)) }
    return section
  }

  /// The weights of the fusion beside what each part does alone.
  private var fusion: Page.Section {
    let (f, m) = (recommender.fusion, recommender.metrics)
    func weight(_ value: Double?) -> String {
      (value ?? 0) == 0 ? "\u{2013}" : decimals(value ?? 0, 2)
    }
    let rows = ScorePart.allCases.compactMap { part -> Table.Row? in
      let (cold, warm) = (m.coldParts[part.rawValue], m.warmParts[part.rawValue])
      guard cold != nil || warm != nil else { return nil }
      return .init([
        part.rawValue, weight(f.cold[part]), decimals(cold ?? .nan, 4), weight(f.warm[part]),
        decimals(warm ?? .nan, 4),
      ])
    }
    guard !rows.isEmpty else { return .init("Fusion") }
    return .init(
      "Fusion",
      [
        .text(
          "A score is a weighted sum of standardised parts: one set of weights for new items, one for "
            + "items with behaviours. "
            + (f.halfCount > 0
              ? "Both weigh the same at \(decimals(f.halfCount, 1)) behaviours. "
              : "An item's behaviours decide alone as soon as it has one. ")
            + "New items' scores are multiplied by \(decimals(f.coldScale, 2)) and shifted by "
            + "\(decimals(f.coldShift, 2)) before they are mixed."),
        .table(
          Table(
            "Weights, and NDCG@20 of each part alone on the validation inside fine-tuning",
            header: [
              "part", "weight, new", "alone, new", "weight, known", "alone, known",
            ],
            rows + [
              .init(
                ["fusion", "", decimals(m.coldNDCG, 4), "", decimals(m.warmNDCG, 4)],
                isStrong: true)
            ])),
      ])
  }

  private var settings: Page.Section {
    let (o, c) = (recommender.options, recommender.model.configuration)
    let rows: [(String, String)] = [
      ("encoder", "\(c.layerCount) layers of width \(c.hiddenSize), frozen"),
      (
        "adapters",
        recommender.adapters == nil
          ? "none"
          : o.adapterKind == .full
            ? "every weight tuned"
            : "\(o.adapterKind.rawValue) in the last \(o.adapters.layers) layers"
      ),
      ("loss", o.towers.loss.rawValue), ("tower width", "\(o.towers.width)"),
      ("users in a batch", "\(o.towers.batch)"), ("learning rate", "\(o.towers.learningRate)"),
      ("longest text", "\(o.maximumLength) tokens"), ("seed", "\(o.seed)"),
      ("threads", "\(o.threads)"),
      ("training time", o.minutes.map { "\(decimals($0, 1)) minutes at most" } ?? "by epochs"),
    ]
    return .init(
      "Settings",
      [
        .table(
          Table(
            "How the model was made", header: ["setting", "value"], isNumeric: false,
            rows.map { .init([$0.0, $0.1]) }))
      ])
  }
}

extension Evaluation {
  /// Which rows the figures are of, in a sentence.
  var origin: String {
    guard split.info != nil else {
      return
        "Figures are of the validation inside fine-tuning: of the items with behaviours "
        + "\(percent(InnerSplit.coldShare, 0)) played new, \(grouped(InnerSplit.mostCold)) at most, and of "
        + "the others' behaviours \(percent(InnerSplit.share, 0)) were held out. The fusion's weights were "
        + "chosen there too, so they flatter it a little; encoder evaluate measures held-out behaviours."
    }
    return
      "Figures are of \(split.part == .test ? "the held-out test rows" : "the validation rows") of "
      + "the split, which training never saw; every candidate is ranked."
  }
}
