import Datasets
import Foundation
import Recommendation

/// Reads and cleans what `encoder finetune` learns from.
struct FinetuneReading {
  let command: FinetuneCommand

  /// - Throws: `DatasetError` for a malformed file.
  func read(_ display: ProgressDisplay) throws -> FinetuneInput {
    var options = command.columns.options
    options.notice = { display.line($0) }
    let items = try ItemTable.find(
      forBehaviors: URL(fileURLWithPath: command.behaviors),
      items: command.items.map { URL(fileURLWithPath: $0) }, options: options)
    let users = try command.users.map {
      try UserTable.load(from: URL(fileURLWithPath: $0), options: options)
    }
    var (rows, report) = try Behaviors.load(
      path: command.behaviors, itemIDs: items.ids, options: options)
    let rule =
      command.positiveLabel.map { PositiveRule(threshold: $0) }
      ?? PositiveRule(labels: rows.labels)
    display.line("positive: \(rule.reason)")
    var cleaning = Cleaning()
    cleaning.dropsUnrated = command.loss == .mse
    cleaning.core = command.core
    rows = cleaning.apply(to: rows, positive: rule, report: &report)
    report.describe(rows, positive: rule)
    report.describe(texts: items.texts)
    display.line(
      "behaviours: \(report.rowsRead) read, \(report.rowsKept) kept (\(report.droppedInWords)); "
        + "\(report.positives) positive, \(report.users) users, \(items.count) items")
    let vectors = try command.itemVectors.map {
      try ItemVectors.load(from: URL(fileURLWithPath: $0))
    }
    for block in vectors {
      let known = (0..<items.count).filter { item in
        items.ids.withBytes(of: item) { block.ids.index(of: $0) != nil }
      }
      display.line(
        "item vectors \(block.name): \(block.ids.count) of \(block.vectors.columnCount) values, for "
          + "\(known.count) of \(items.count) items")
    }
    return FinetuneInput(
      items: items, behaviors: rows, users: users, rule: rule, report: report,
      itemVectors: vectors)
  }
}
