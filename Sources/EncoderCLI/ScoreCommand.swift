import ArgumentParser
import Datasets
import Foundation
import Kernels
import Recommendation

/// `encoder score`: probabilities or ratings of pairs.
struct ScoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score",
    abstract: "Adds a score to pairs of users and items.",
    discussion: """
      The score is a calibrated probability: of label 1 for a model of --loss bce, of a behaviour \
      otherwise. For a model of --loss mse it is the expected rating.
      """)

  @Argument(help: "Pairs: a CSV with user_id and item_id; other columns are kept.")
  var pairs: String

  @Option(help: "A fine-tuned model's directory; else the newest under ./checkpoints.")
  var model: String?

  @Option(help: "New items: item_id, text and feature columns.")
  var newItems: String?

  @Option(help: "Where the result goes; else standard output.")
  var output: String?

  @OptionGroup var shared: SharedOptions
  @OptionGroup var columns: BehaviorColumns

  func run() throws {
    BLAS.useSingleThread()
    if let output { try OutputCheck.file(output) }
    let display = ProgressDisplay(quiet: shared.quiet, json: shared.json)
    let choice = try ModelLocator().locateRecommender(model)
    if let notice = choice.notice { display.line(notice) }
    var recommender = try Recommender.load(from: choice.url, workers: shared.workers)
    if let newItems {
      try recommender.addItems(
        ItemTable.load(from: URL(fileURLWithPath: newItems), options: columns.options),
        workers: shared.workers)
    }
    let table = try PairTable(path: pairs, columns: columns.options, recommender)
    if table.unknownUsers > 0 {
      display.line(
        "\(table.unknownUsers) rows of users without a history: scored by items alone")
    }
    let scores = try recommender.scores(
      users: table.users, items: table.items, workers: shared.workers)
    var csv = CSVText()
    csv.row(table.header + ["score"])
    for (row, score) in zip(table.rows, scores) {
      csv.row(row + [String(format: "%.6g", score)])
    }
    if let output {
      try AtomicFile.write(to: URL(fileURLWithPath: output)) { try csv.flush($0) }
    } else {
      try csv.flush(nil)
    }
  }
}

/// The rows of a file of pairs, with users and items as numbers.
struct PairTable {
  let header: [String]
  private(set) var rows: [[String]] = []
  /// Numbers of users; -1 for a user without a history.
  private(set) var users: [Int32] = []
  private(set) var items: [Int32] = []
  private(set) var unknownUsers = 0

  /// - Throws: `DatasetError` for a missing column or an item that the catalogue lacks, with its line.
  init(path: String, columns: TableOptions, _ recommender: Recommender) throws {
    let reader = try DelimitedReader(
      path: path, format: columns.format, skipBadRows: columns.skipBadRows)
    header = reader.header
    let names = ColumnNames(header: reader.header)
    let user = try names.required(
      "user", override: columns.userColumn, aliases: ColumnNames.userAliases,
      flag: "--user-column", file: reader.name)
    let item = try names.required(
      "item", override: columns.itemColumn, aliases: ColumnNames.itemAliases,
      flag: "--item-column", file: reader.name)
    while try reader.next() {
      guard let index = recommender.items.ids.index(of: reader.field(item)) else {
        throw DatasetError(
          "the catalogue has no item \(reader.string(item))", path: reader.name,
          line: reader.line, advice: "correct it, or give the item with --new-items")
      }
      let known = recommender.users.index(of: reader.field(user))
      if known == nil { unknownUsers += 1 }
      users.append(known.map { Int32($0) } ?? -1)
      items.append(Int32(index))
      rows.append(header.indices.map { reader.string($0) })
    }
  }
}
