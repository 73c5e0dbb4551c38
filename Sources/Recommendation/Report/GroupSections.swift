import Metrics
import Reporting

extension EvaluationSections {
  /// Quality by the behaviours that an item has.
  var itemAges: Page.Section {
    let places = CountRange.itemAges.indices.filter { place in
      evaluation.methods.contains { $0.itemAges[place].users > 0 }
    }
    guard let first = evaluation.methods.first, !places.isEmpty else {
      return .init("Quality by item age")
    }
    let names = places.map { CountRange.itemAges[$0].name }
    let counts = places.map { first.itemAges[$0] }
    func chart(
      _ title: String, _ label: String, _ value: @escaping (ItemAgeQuality) -> MetricSummary
    ) -> Page.Block {
      let chosen = EvaluationSections.shown(evaluation.methods) { method in
        places.map { value(method.itemAges[$0]).mean }
      }
      return .figure(
        GroupChart(
          title, groups: names, x: "behaviours of the item in training", y: label,
          chosen.map { method in
            .init(
              method.name,
              places.map { place in
                let summary = value(method.itemAges[place])
                return .init(summary.mean, summary.interval)
              })
          }), caption: title,
        Table(
          "\(title); \(label)", header: ["method"] + names,
          evaluation.methods.map { method in
            .init(
              [method.name] + places.map { decimals(value(method.itemAges[$0]).mean, 4) },
              isStrong: method.name == Evaluation.modelName)
          }))
    }
    return .init(
      "Quality by item age",
      [
        .text(
          "How the quality on an item depends on how many behaviours it has in training: 0 is a new "
            + "item. Items: "
            + counts.map { "\(grouped($0.items)) with \($0.range.name)" }.joined(separator: ", ")
            + "."),
        chart("Ranked among items of the same age", "NDCG@20") { $0.ndcg20 },
        chart("Found in the first 20 of all items", "recall@20") { $0.recall20 },
      ])
  }

  /// Quality by the behaviours that a user has.
  var histories: Page.Section {
    let places = CountRange.histories.indices.filter { place in
      evaluation.methods.contains { $0.histories[place].users > 0 }
    }
    guard let first = evaluation.methods.first, !places.isEmpty else {
      return .init("Quality by user history")
    }
    let names = places.map { CountRange.histories[$0].name }
    var blocks: [Page.Block] = [
      .text(
        "How the quality for a user depends on how many behaviours the user has in training. Users: "
          + places.map {
            "\(grouped(first.histories[$0].users)) with \(first.histories[$0].range.name)"
          }.joined(separator: ", ") + ".")
    ]
    for (set, title) in [
      (RankingEvaluator.CandidateSet.cold, "New items"), (.warm, "Known items"),
      (.balanced, "Both, balanced"),
    ] {
      func summary(_ method: MethodResult, _ place: Int) -> MetricSummary? {
        method.histories[place][set]
      }
      guard places.contains(where: { (summary(first, $0)?.mean ?? .nan).isFinite }) else {
        continue
      }
      let chosen = EvaluationSections.shown(evaluation.methods) { method in
        places.map { summary(method, $0)?.mean ?? .nan }
      }
      blocks.append(
        .figure(
          GroupChart(
            "\(title) by the user's history", groups: names,
            x: "behaviours of the user in training", y: "NDCG@20",
            chosen.map { method in
              .init(
                method.name,
                places.map { place in
                  summary(method, place).map { .init($0.mean, $0.interval) }
                })
            }), caption: title,
          Table(
            "\(title) by the user's history, NDCG@20", header: ["method"] + names,
            evaluation.methods.map { method in
              .init(
                [method.name] + places.map { decimals(summary(method, $0)?.mean ?? .nan, 4) },
                isStrong: method.name == Evaluation.modelName)
            })))
    }
    return .init("Quality by user history", blocks)
  }

  /// The model and four others, so that a plot stays readable: those that lead in a group, then the best
  /// on average.
  static func shown(
    _ methods: [MethodResult], _ values: (MethodResult) -> [Double]
  ) -> [MethodResult] {
    let rows = methods.map { method in values(method).map { $0.isFinite ? $0 : 0 } }
    let others = methods.indices.filter { methods[$0].name != Evaluation.modelName }
    let groups = rows.first?.indices ?? 0..<0
    let leaders = groups.compactMap { group in
      others.max { (rows[$0][group], -$0) < (rows[$1][group], -$1) }
    }
    let byMean = others.sorted {
      (-rows[$0].reduce(0, +), $0) < (-rows[$1].reduce(0, +), $1)
    }
    var chosen: [Int] = []
    for index in leaders + byMean where !chosen.contains(index) && chosen.count < 4 {
      chosen.append(index)
    }
    return methods.indices.filter {
      methods[$0].name == Evaluation.modelName || chosen.contains($0)
    }.map { methods[$0] }
  }

  /// Predictions beside what came true.
  var calibration: Page.Section {
    let curves = evaluation.calibration.filter { $0.bins.count > 1 || $0.kind != .rating }
    guard let first = curves.first else { return .init("Calibration") }
    let isRating = first.kind == .rating
    let isRare = first.kind == .rareProbability
    let (x, y) =
      isRating
      ? ("predicted rating", "mean rating")
      : ("predicted probability", "share of positives")
    let text =
      isRare
      ? "How often a user turns out to have a behaviour on an item that was offered with a certain "
        + "probability. Such pairs are rare, so both axes are logarithmic. The scale was fitted where a "
        + "tenth of the behaviours was held out; where another share is, curves lie above or below "
        + "the diagonal as a whole."
      : isRating
        ? "The mean rating of held-out rows whose predicted rating is in a certain range."
        : "The share of held-out rows with label 1 whose predicted probability is in a certain range."
    return .init(
      "Calibration",
      [
        .text(text),
        .figure(
          ReliabilityChart(
            "Reliability: \(y) against \(x)", x: x, y: y,
            scale: isRare ? .logarithmic : .linear,
            curves.map { curve in
              (
                curve.name,
                curve.bins.map {
                  .init(
                    predicted: $0.predicted, observed: $0.observed, interval: $0.interval,
                    count: $0.count)
                }
              )
            }), caption: "On the dashed line, predictions are right",
          Table(
            "Predictions and what came true", header: ["rows", "pairs", "predicted", "observed"],
            curves.flatMap { curve in
              curve.bins.map {
                .init([
                  curve.name, grouped($0.count), "\(Float($0.predicted))", "\(Float($0.observed))",
                ])
              }
            })),
      ] + labelBlocks)
  }

  private var labelBlocks: [Page.Block] {
    guard let first = evaluation.labels.first else { return [] }
    let isBinary = first.model.binary != nil
    func cells(_ metrics: LabelMetrics) -> [String] {
      if let b = metrics.binary {
        return [b.accuracy, b.precision, b.recall, b.f1, b.auc, b.brier, b.calibrationError].map {
          decimals($0, 4)
        }
      }
      return [metrics.rating?.mae, metrics.rating?.mse, metrics.rating?.rmse].map {
        decimals($0 ?? .nan, 4)
      }
    }
    return [
      .table(
        Table(
          "Labels of held-out rows, the model beside the mean label of training",
          header: ["rows", "prediction"]
            + (isBinary
              ? ["accuracy", "precision", "recall", "F1", "AUC", "Brier", "calibration error"]
              : ["MAE", "MSE", "RMSE"]),
          evaluation.labels.flatMap { entry in
            [
              .init([entry.set, "model"] + cells(entry.model), isStrong: true),
              .init([entry.set, "mean label"] + cells(entry.constant)),
            ]
          }))
    ]
  }
}
