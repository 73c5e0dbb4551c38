public import Datasets
import Metrics
public import Tokenization

extension Evaluation {
  /// Everything, for machines; what has no value (an AUC without negatives) is null.
  ///
  /// - Parameters:
  ///   - model: the model's directory, or nil.
  ///   - directory: the split's.
  public func json(model: String?, split directory: String) -> JSONValue {
    var members: [JSONMember] = [
      .init("format_version", .integer(1)),
      .init("model", model.map { .string($0) } ?? .null),
      .init("split", .string(directory)),
      .init("on", .string(split.part.rawValue)),
      .init("cold_items", .integer(Int64(split.coldItems.count))),
      .init("warm_items", .integer(Int64(split.warmItems.count))),
      .init("users", .integer(Int64(split.evaluated.count))),
      .init("users_without_history", .integer(Int64(split.usersWithoutHistory))),
    ]
    if model != nil {
      members.append(.init("users_new_to_the_model", .integer(Int64(newUsers))))
    }
    members += [
      .init(
        "methods",
        .object(methods.map { .init($0.name, $0.json) })),
      .init(
        "paired",
        .array(comparisons.map(\.json))),
      .init(
        "labels",
        .object(labels.map { .init($0.set, $0.json) })),
      .init("calibration", .array(calibration.map(\.json))),
      .init(
        "skipped",
        .object(skipped.map { .init($0.name, .string($0.reason)) })),
    ]
    return .object(members)
  }

  /// Writes each user's metrics as bench/baselines.py does: method,set,user_id and the seven metrics.
  ///
  /// - Throws: `DatasetError` when the disk fails.
  public func writeUsers(to file: FileWriter) throws {
    var csv = CSVWriter(file)
    try csv.writeRow(["method", "set", "user_id"] + RankingMetrics.names)
    for method in methods {
      for set in RankingEvaluator.CandidateSet.allCases {
        for result in method.results {
          guard let metrics = result[set] else { continue }
          csv.append(method.name)
          csv.append(set.rawValue)
          split.users.withBytes(of: result.user) { csv.append($0) }
          for value in metrics.values { csv.append(value.isNaN ? "nan" : fixed(value, 6)) }
          try csv.endRow()
        }
      }
    }
  }
}

extension MethodResult {
  fileprivate var json: JSONValue {
    .object(
      report.sets.map { set in
        .init(
          set.set.rawValue,
          .object(
            [.init("users", .integer(Int64(set.users)))]
              + zip(RankingMetrics.names, set.metrics).map { .init($0, $1.json) }))
      } + [
        .init("cold_recall@20", .number(report.coldRecall20)),
        .init("cold_share@20", .number(report.coldShare20)),
        .init("coverage@20", .number(exposure.coverage)),
        .init("gini@20", .number(exposure.gini)),
        .init("by_item_behaviours", .array(itemAges.map(\.json))),
        .init("by_history", .array(histories.map(\.json))),
        .init("notes", .array(notes.map { .string($0) })),
      ])
  }
}

extension ItemAgeQuality {
  fileprivate var json: JSONValue {
    .object([
      .init("behaviours", .string(range.name)),
      .init("items", .integer(Int64(items))),
      .init("users", .integer(Int64(users))),
      .init("ndcg@20", ndcg20.json),
      .init("recall@20_of_all", recall20.json),
    ])
  }
}

extension HistoryQuality {
  fileprivate var json: JSONValue {
    .object(
      [
        .init("behaviours", .string(range.name)),
        .init("users", .integer(Int64(users))),
      ]
        + zip(RankingEvaluator.CandidateSet.allCases, ndcg20).map {
          .init("\($0.rawValue)_ndcg@20", $1.json)
        })
  }
}

extension CalibrationCurve {
  fileprivate var json: JSONValue {
    .object([
      .init("pairs", .string(name)),
      .init(
        "bins",
        .array(
          bins.map {
            .object([
              .init("count", .integer(Int64($0.count))),
              .init("predicted", .number($0.predicted)),
              .init("observed", .number($0.observed)),
              .init("interval", .array($0.interval.map { .number($0) })),
            ])
          })),
    ])
  }
}

extension MetricSummary {
  fileprivate var json: JSONValue {
    .object([
      .init("mean", .number(mean)),
      .init("standard_error", .number(standardError)),
      .init("interval", .array(interval.map { .number($0) })),
    ])
  }
}

extension Evaluation.Comparison {
  fileprivate var json: JSONValue {
    .object([
      .init("baseline", .string(baseline)),
      .init("set", .string(set.rawValue)),
      .init("metric", .string("ndcg@20")),
      .init("users", .integer(Int64(result.users))),
      .init("difference", .number(result.difference)),
      .init("interval", .array(result.interval.map { .number($0) })),
      .init("p", .number(result.p)),
    ])
  }
}

extension LabelEvaluation {
  fileprivate var json: JSONValue {
    .object([
      .init("model", LabelEvaluation.json(model)),
      .init("mean_label", LabelEvaluation.json(constant)),
    ])
  }

  private static func json(_ metrics: LabelMetrics) -> JSONValue {
    var members: [JSONMember] = []
    func add(_ name: String, _ value: Double) { members.append(.init(name, .number(value))) }
    if let binary = metrics.binary {
      members.append(.init("rows", .integer(Int64(binary.count))))
      add("accuracy", binary.accuracy)
      add("precision", binary.precision)
      add("recall", binary.recall)
      add("f1", binary.f1)
      add("log_loss", binary.logLoss)
      add("brier", binary.brier)
      add("calibration_error", binary.calibrationError)
      add("auc", binary.auc)
    }
    if let rating = metrics.rating {
      members.append(.init("rows", .integer(Int64(rating.count))))
      add("mae", rating.mae)
      add("mse", rating.mse)
      add("rmse", rating.rmse)
    }
    return .object(members)
  }
}
