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
  }

  func run() throws {
    let table = try items.map {
      try ItemTable.load(from: URL(fileURLWithPath: $0), options: columns.options)
    }
    let (rows, report) = try Behaviors.load(
      path: behaviors, itemIDs: table?.ids, options: columns.options)
    if time && rows.timestamps?.contains(where: { !$0.isNaN }) != true {
      throw DatasetError(
        "--time needs times, and no row has one", path: behaviors,
        advice: "name the column with --timestamp-column or leave --time out")
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
    print(json ? split.info.json : summary(split))
  }

  private var splitOptions: ColdSplit.Options {
    var options = ColdSplit.Options()
    options.seed = seed
    options.coldFraction = cold
    options.coldValidationFraction = coldValidation
    options.warmFraction = warm
    options.coldBy = time ? .firstSeen : .hash
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
    options.skipBadRows = skipBadRows
    return options
  }
}
