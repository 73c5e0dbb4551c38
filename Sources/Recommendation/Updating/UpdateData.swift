import Datasets
import Kernels

/// New behaviours against what a model knows: who is new, and which positives judge.
struct UpdateData {
  /// The model with the new items in its catalogue and the changed ones represented anew; no weight has
  /// changed.
  let current: Recommender
  /// Users of the model, then new ones.
  let users: IDTable
  /// Features of the users, with zeros for new ones.
  let userFeatures: DenseMatrix?
  /// Old and new positives, without the held-out ones.
  let fresh: SparseMatrix
  /// All positives.
  let full: SparseMatrix
  /// New positives that aren't held out, oldest first.
  let events: [(user: Int32, item: Int32)]
  /// Held-out positives.
  let held: SparseMatrix
  /// Users with held-out positives and a history: those that choose, and those that judge.
  let choosing: [Int32]
  let judging: [Int32]
  var report = UpdateReport()

  /// - Throws: ``RecommenderError`` when nothing is new.
  init(
    _ recommender: Recommender, _ input: UpdateInput, options: UpdateOptions, workers: Workers
  ) throws {
    var model = recommender
    if let items = input.items {
      let changes = model.changedItems(in: items)
      report.changedItems = changes.count
      model = model.changing(changes, to: items, workers: workers)
      let new = (0..<items.count).filter { model.items.ids.index(of: items.ids[$0]) == nil }
      report.newItems = new.count
      if !new.isEmpty {
        try model.addItems(UpdateData.rows(new, of: items), workers: workers)
      }
    }
    let positives = UpdateData.positives(model, input.behaviors, &report)
    users = positives.users
    report.newUsers = users.count - model.users.count
    report.newPositives = positives.pairs.count
    guard !positives.pairs.isEmpty else {
      throw RecommenderError(
        "nothing is new: of \(report.rows) rows \(report.unknownItemRows) are on unknown items and "
          + "the others are known or not positive (\(model.rule.reason)); give behaviours since the "
          + "last update, and new items with --items")
    }
    let count = positives.pairs.count
    let heldCount = count < 2 ? 0 : min(count - 1, max(1, Int(options.heldShare * Double(count))))
    let kept = positives.pairs.prefix(count - heldCount)
    let last = positives.pairs.suffix(heldCount)
    let old = model.histories
    func matrix(_ pairs: [(user: Int32, item: Int32)], over old: SparseMatrix?) throws
      -> SparseMatrix
    {
      var entries = pairs.map { SparseMatrix.Entry(row: $0.user, column: $0.item) }
      if let old {
        for user in 0..<old.rowCount {
          for item in old.columns(ofRow: user) {
            entries.append(.init(row: Int32(user), column: item))
          }
        }
      }
      return try SparseMatrix(
        rowCount: positives.users.count, columnCount: model.items.count, entries: entries)
    }
    fresh = try matrix(Array(kept), over: old)
    full = try matrix(positives.pairs, over: old)
    held = try matrix(Array(last), over: nil)
    events = Array(kept)
    userFeatures = recommender.userFeatures.map {
      $0.appending(
        DenseMatrix(
          rowCount: positives.users.count - $0.rowCount, columnCount: $0.columnCount))
    }
    current = model
    let (history, judged) = (fresh, held)
    let able = (0..<Int32(users.count)).filter {
      !history.columns(ofRow: Int($0)).isEmpty && !judged.columns(ofRow: Int($0)).isEmpty
    }
    let names = users
    choosing = able.filter { portableHash("update|\(names[Int($0)])") % 2 == 0 }
    judging = able.filter { portableHash("update|\(names[Int($0)])") % 2 == 1 }
    report.heldOut = heldCount
    report.choosingUsers = choosing.count
    report.judgingUsers = judging.count
  }

  /// Distinct new positives, oldest first; rows without a time keep their place behind the dated ones.
  private static func positives(
    _ model: Recommender, _ rows: Behaviors, _ report: inout UpdateReport
  ) -> (users: IDTable, pairs: [(user: Int32, item: Int32)]) {
    var users = model.users
    let itemOf = (0..<rows.items.count).map { model.items.ids.index(of: rows.items[$0]) }
    report.rows = rows.count
    var order = (0..<rows.count).map { $0 }
    if let times = rows.timestamps {
      func key(_ row: Int) -> (Double, Int) { (times[row].isNaN ? .infinity : times[row], row) }
      order.sort { key($0) < key($1) }
    }
    var seen: Set<UInt64> = []
    var pairs: [(user: Int32, item: Int32)] = []
    for row in order {
      guard let item = itemOf[Int(rows.itemIndex[row])] else {
        report.unknownItemRows += 1
        continue
      }
      guard model.rule.isPositive(rows.labels[row]) else { continue }
      let user = users.insert(rows.users[Int(rows.userIndex[row])])
      let isKnown =
        user < model.histories.rowCount
        && model.histories.columns(ofRow: user).contains(Int32(item))
      guard !isKnown, seen.insert(UInt64(user) << 32 | UInt64(item)).inserted else { continue }
      pairs.append((Int32(user), Int32(item)))
    }
    return (users, pairs)
  }

  private static func rows(_ rows: [Int], of items: ItemTable) -> ItemTable {
    ItemTable(
      ids: IDTable(rows.map { items.ids[$0] }), texts: rows.map { items.texts[$0] },
      features: items.features.map { table in
        FeatureTable(
          columns: table.columns.map { column in
            .init(name: column.name, values: rows.map { column.values[$0] })
          }, rowCount: rows.count)
      })
  }

  /// NDCG@20 of a model on the held-out positives of each of some users, given their fresh histories.
  func ndcg(_ model: Recommender, users chosen: [Int32], workers: Workers) throws -> [Double] {
    guard !chosen.isEmpty else { return [] }
    let histories = fresh.selectingRows(chosen)
    let lists = try model.rank(
      histories, userFeatures: userFeatures?.selectingRows(chosen), k: 20, candidates: nil,
      excluding: histories, workers: workers)
    return lists.ndcg(chosen, relevant: held)
  }
}

/// Two models' figures for the same users.
package struct PairedJudgement {
  /// Mean of the first and of the second model.
  package let before: Double
  package let after: Double
  /// Standard error of the mean difference; 0 for fewer than two users.
  package let standardError: Double

  package init(_ before: [Double], _ after: [Double]) {
    precondition(before.count == after.count, "\(before.count) figures for \(after.count)")
    let n = Double(max(1, before.count))
    self.before = before.reduce(0, +) / n
    self.after = after.reduce(0, +) / n
    let mean = self.after - self.before
    let squares = zip(before, after).reduce(0) { sum, pair in
      let distance = pair.1 - pair.0 - mean
      return sum + distance * distance
    }
    standardError = before.count > 1 ? (squares / (n - 1) / n).squareRoot() : 0
  }

  /// Whether the second isn't lower than the first by more than so many standard errors.
  package func isNotWorse(tolerance: Double) -> Bool {
    after - before >= -tolerance * standardError
  }
}
