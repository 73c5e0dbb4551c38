import ArgumentParser
import Datasets
import Foundation

/// `encoder split`: a strict cold-item split, the same that bench/baselines.py makes.
struct SplitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "split",
    abstract: "Splits behaviours into training, warm test and cold test rows.",
    discussion: """
      Writes train.csv, test_warm.csv, test_cold.csv, val_cold.csv, warm_items.txt, cold_items.txt, \
      val_cold_items.txt, users.txt and split.json. No row of a cold item is in train.csv. The choice \
      depends on hashes of the ids and the seed alone.
      """)

  @Argument(
    help: "Behaviours: user_id,item_id and optionally label, timestamp; .gz and - are read too.")
  var behaviors: String

  @Option(help: "Items file; rows of items it doesn't have are left out and counted.")
  var items: String?

  @Option(help: "Folder to write.")
  var output: String

  @Option(help: "Share of the items that become cold.")
  var cold = 0.2

  @Option(help: "Share of the items that become cold and are for tuning.")
  var coldValidation = 0.05

  @Option(help: "Share of the warm items' rows that is held out.")
  var warm = 0.2

  @Option(parsing: .unconditional, help: "Seed of the choice.")
  var seed = 42

  @Option(
    parsing: .unconditional,
    help: "A label of at least this is positive (default: from the labels, and printed).")
  var positiveLabel: Double?

  @Flag(help: "The newest items become cold, not random ones.")
  var time = false

  @Option(
    help:
      "Rows from this time on are held out, and items first seen then become cold: a number, or 2024-05-31. In place of --cold and --warm."
  )
  var until: String?

  @Flag(help: "Of warm items, the last rows of each user are held out, not random ones.")
  var warmLast = false

  @Option(help: "Leave out users and items with fewer rows than this, until none is left.")
  var core = 0

  @Flag(help: "Print split.json on standard output instead of lines for people.")
  var json = false

  @Flag(help: "Print nothing but results and errors.")
  var quiet = false

  @OptionGroup var columns: BehaviorColumns

  func validate() throws {
    for (flag, share) in [
      ("--cold", cold), ("--cold-validation", coldValidation), ("--warm", warm),
      ("--cold plus --cold-validation", cold + coldValidation),
    ] where !(share >= 0 && share <= 1) {
      throw ValidationError("\(flag) is \(share); give a share between 0 and 1")
    }
    guard core >= 0 else { throw ValidationError("--core is \(core); give 0 or more") }
    try FlagLimits.checkFinite("--positive-label", positiveLabel)
    guard until == nil || !(time || warmLast) else {
      throw ValidationError("--until goes with neither --time nor --warm-last.")
    }
    if let until, parseTime(until) == nil {
      throw ValidationError("--until is \(until); give a number or a date as 2024-05-31")
    }
  }

  func run() throws {
    var options = columns.options
    if !quiet { options.notice = { StandardError.write($0) } }
    let table = try items.map {
      try ItemTable.load(from: URL(fileURLWithPath: $0), options: options)
    }
    var (rows, report) = try Behaviors.load(
      path: behaviors, itemIDs: table?.ids, options: options)
    if rows.timestamps?.contains(where: { !$0.isNaN }) != true,
      let flag = [("--time", time), ("--warm-last", warmLast), ("--until", until != nil)]
        .first(where: \.1)?.0
    {
      throw DatasetError(
        "\(flag) needs times, and no row has one", path: behaviors,
        advice: "name the column with --timestamp-column or leave \(flag) out")
    }
    if core > 1 {
      let all = rows.deduplicated()
      rows = all.core(core)
      notice(
        "\(core)-core: \(rows.count) rows kept, \(all.count - rows.count) left out, "
          + "\(report.rowsKept - all.count) repeated")
      report.rowsKept = rows.count
    }
    let rule =
      positiveLabel.map { PositiveRule(threshold: $0) } ?? PositiveRule(labels: rows.labels)
    notice("positive: \(rule.reason)")
    let split = try ColdSplit.make(rows, positive: rule, options: splitOptions)
    try split.write(to: URL(fileURLWithPath: output))
    let kept =
      split.train.count + split.testWarm.count + split.testCold.count
      + split.validationCold.count
    notice("rows: \(report.rowsRead) read, \(report.droppedInWords)")
    if let first = report.firstBadRow { notice("the first malformed row: \(first)") }
    if report.missingLabels > 0 {
      notice("rows without a label, taken for 1: \(report.missingLabels)")
    }
    notice(
      "rows: \(kept) written, \(report.rowsKept - kept) left out as repeated or of items without a "
        + "positive")
    try StandardOutput.write(line: json ? split.info.json : summary(split))
  }

  private var splitOptions: ColdSplit.Options {
    var options = ColdSplit.Options()
    options.seed = seed
    options.coldFraction = cold
    options.coldValidationFraction = coldValidation
    options.warmFraction = warm
    options.coldBy = time ? .firstSeen : .hash
    options.warmBy = warmLast ? .last : .hash
    options.until = until.flatMap(parseTime)
    return options
  }

  private func summary(_ split: ColdSplit) -> String {
    let info = split.info
    return """
      train            \(info.trainPositives) positives on \(info.warmItems) warm items
      warm test        \(info.testWarmPositives) positives
      cold test        \(info.testColdPositives) positives on \(info.coldItems) items
      cold validation  \(info.validationColdPositives) positives on \(info.validationColdItems) items
      written to       \(output)
      """
  }

  private func notice(_ line: String) {
    if !quiet { FileHandle.standardError.write(Data((line + "\n").utf8)) }
  }
}

/// A time of the command line: a number, or an ISO 8601 date.
private func parseTime(_ text: String) -> Double? {
  let time = Array(text.utf8).withUnsafeBufferPointer { parseTimestamp($0) }
  return time.flatMap { $0.isFinite ? $0 : nil }
}

/// The flags that say how a behaviours or items file is read.
struct BehaviorColumns: ParsableArguments {
  @Option(help: "Name of the user column.")
  var userColumn: String?

  @Option(help: "Name of the item column.")
  var itemColumn: String?

  @Option(help: "Name of the label column.")
  var labelColumn: String?

  @Option(help: "Name of the time column.")
  var timestampColumn: String?

  @Option(help: "Column with the items' texts; several are joined.")
  var textColumn: [String] = []

  @Option(
    help:
      "Names of the columns of behaviours without a header, separated by commas: user_id,item_id,rating."
  )
  var columns: String?

  @Flag(help: "Each row is a positive, whatever its label says.")
  var implicit = false

  @Flag(help: "Leave malformed rows out and count them.")
  var skipBadRows = false

  /// The flags as options of the readers.
  var options: TableOptions {
    var options = TableOptions()
    options.userColumn = userColumn
    options.itemColumn = itemColumn
    options.labelColumn = labelColumn
    options.timestampColumn = timestampColumn
    options.textColumns = textColumn
    options.columns = columns?.split(separator: ",").map(String.init) ?? []
    options.isImplicit = implicit
    options.skipBadRows = skipBadRows
    return options
  }
}
