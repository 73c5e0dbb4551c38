import ArgumentParser
import Datasets
import Foundation
import Kernels
import Recommendation
import Reporting

/// `encoder evaluate`: full-ranking metrics of a fine-tuned model and of baselines on a cold split.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measures a fine-tuned model on held-out cold and warm items, beside baselines.",
    discussion: """
      The split is a folder that encoder split wrote, and the model was fine-tuned on its train.csv. \
      Every candidate is ranked, none are sampled. Intervals and p are bootstraps over users. With \
      --items in place of a model the baselines are scored alone. Everything goes into report.html in the \
      model's directory too, with plots; --report names another file.
      """)

  @Option(help: "A fine-tuned model's directory; else the newest under ./checkpoints.")
  var model: String?

  @Option(help: "Items file, to score the baselines without a model.")
  var items: String?

  @Option(help: "Folder of the split.")
  var split: String

  @Option(help: "Rows to evaluate: test, or validation for tuning (val_cold.csv alone).")
  var on = EvaluationSplit.Part.test

  @Option(help: "File for everything as one JSON object.")
  var json: String?

  @Option(help: "CSV file for the metrics of each user.")
  var perUser: String?

  @Option(
    help:
      "Folder for qrels and runs as trec_eval, ir_measures and ranx read them, of each method and set."
  )
  var trec: String?

  @Option(help: "Places a user in the runs of --trec.")
  var trecDepth = 1000

  @Option(
    help: "HTML file for the report (default: report.html of the model; none for --items).")
  var report: String?

  @Flag(help: "Only the model.")
  var noBaselines = false

  @Option(help: "Baselines to compare with, separated by commas (default: all).")
  var baselines: String?

  @Option(help: "Seed of the bootstraps, of random scores and of ALS.")
  var seed: UInt64 = 1

  @Option(help: "Threads; by default one a core.")
  var threads: Int?

  @Flag(help: "No notices on standard error.")
  var quiet = false

  func validate() throws {
    guard model == nil || items == nil else {
      throw ValidationError("Give one of --model and --items.")
    }
    try FlagLimits.check("--threads", threads, FlagLimits.threads)
    try FlagLimits.check("--trec-depth", trecDepth, 1...1_000_000)
    if noBaselines && (items != nil || baselines != nil) {
      throw ValidationError("--no-baselines goes neither with --items nor with --baselines.")
    }
    _ = try chosenBaselines()
  }

  func run() throws {
    BLAS.useSingleThread()
    let workers = Workers(count: threads)
    for path in [json, perUser, report].compactMap({ $0 }) { try OutputCheck.file(path) }
    if let trec { try OutputCheck.directory(URL(fileURLWithPath: trec)) }
    let folder = URL(fileURLWithPath: split)
    let rows = try ColdSplit.read(from: folder)
    if on == .validation && rows.validationCold.count == 0 {
      throw CLIError(
        "the split has no validation rows: \(split)/val_cold.csv; split with --cold-validation, or "
          + "evaluate --on test")
    }
    let (evaluation, name, page) =
      try items.map { path in
        let evaluation = try baselines(over: path, rows, workers)
        return (
          evaluation, nil,
          Page(
            split, subtitle: "Baselines on held-out rows.",
            EvaluationSections(evaluation).sections)
        )
      } ?? evaluated(rows, workers)
    try StandardOutput.write(line: evaluation.table)
    if let json {
      var bytes = evaluation.json(model: name, split: split).serialized(pretty: true)
      bytes.append(UInt8(ascii: "\n"))
      try AtomicFile.write(bytes, to: URL(fileURLWithPath: json))
    }
    try write(page, model: name)
    if let perUser {
      try AtomicFile.write(to: URL(fileURLWithPath: perUser)) {
        try evaluation.writeUsers(to: $0)
      }
    }
  }

  /// Writes the report where it was asked for, else into the model's directory, where it replaces the one
  /// that fine-tuning left; a directory that can't be written is worth a notice only.
  private func write(_ page: Page, model: String?) throws {
    if let report { return try AtomicFile.write(page.html, to: URL(fileURLWithPath: report)) }
    guard let model else { return }
    let url = URL(fileURLWithPath: model).appendingPathComponent(RecommenderReport.fileName)
    do {
      try AtomicFile.write(page.html, to: url)
      display("report: \(url.path)")
    } catch {
      display("notice: no report was written: \(error)")
    }
  }

  private func baselines(
    over path: String, _ rows: ColdSplit, _ workers: Workers
  ) throws -> Evaluation {
    let table = try ItemTable.load(from: URL(fileURLWithPath: path))
    return try Evaluation.run(
      baselinesOver: table,
      on: try EvaluationSplit(rows, catalogue: table.ids, part: on, place: split),
      options: try options(), workers: workers, progress: { display("evaluating \($0)") })
  }

  private func evaluated(
    _ rows: ColdSplit, _ workers: Workers
  ) throws -> (Evaluation, model: String?, Page) {
    let choice = try ModelLocator().locateRecommender(model)
    if let notice = choice.notice { display(notice) }
    let recommender = try Recommender.load(from: choice.url, workers: workers)
    let evaluation = try Evaluation.run(
      recommender,
      on: try EvaluationSplit(rows, catalogue: recommender.items.ids, part: on, place: split),
      options: try options(), workers: workers, progress: { display("evaluating \($0)") })
    let report = RecommenderReport(
      recommender, evaluation: evaluation, records: FinetuneLog.read(from: choice.url),
      name: choice.url.lastPathComponent, workers: workers)
    return (evaluation, choice.url.path, try report.page())
  }

  private func options() throws -> Evaluation.Options {
    var options = Evaluation.Options()
    options.baselines = try chosenBaselines()
    options.seed = seed
    options.trecFolder = trec.map { URL(fileURLWithPath: $0) }
    options.trecDepth = trecDepth
    return options
  }

  private func display(_ line: String) {
    if !quiet { StandardError.write(line) }
  }

  private func chosenBaselines() throws -> [Baseline] {
    guard !noBaselines else { return [] }
    guard let baselines else { return Baseline.allCases }
    return try baselines.split(separator: ",").map { name in
      guard let method = Baseline(rawValue: String(name)) else {
        let known = Baseline.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("There is no baseline '\(name)'; known are \(known).")
      }
      return method
    }
  }
}

extension EvaluationSplit.Part: ExpressibleByArgument {}
