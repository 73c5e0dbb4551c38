import Datasets
import Foundation

/// The program's own validation, inside the training behaviours: some warm items play cold, and of
/// the others some positives are held out.
///
/// Fusion, early stopping and penalties are chosen on it.
package struct InnerSplit: Sendable {
  /// Positives that remain for training, (users, items).
  package let train: SparseMatrix
  /// Items that play cold, ascending.
  package let pseudoCold: [Int32]
  /// Items with a positive in ``train``, ascending.
  package let warm: [Int32]
  /// Positives on pseudo-cold items, (users, items).
  package let cold: SparseMatrix
  /// Held-out positives on warm items, (users, items).
  package let held: SparseMatrix
  /// All positives on warm items, (users, items): the histories by which pseudo-cold items are ranked.
  ///
  /// Histories without ``held`` would be shorter than those in use, and favour what needs little of them.
  package let histories: SparseMatrix

  /// Share of the positives on warm items that are held out.
  package static let share = 0.1

  /// Share of the warm items that play cold.
  ///
  /// A few popular items carry much of NDCG, so that with fewer the choices hang on which items those are.
  package static let coldShare = 0.15

  /// The most items that play cold; more would say nothing new.
  package static let mostCold = 5000

  /// Splits by hashes of ids and seed, so that it doesn't depend on the order of rows.
  package init(_ positives: SparseMatrix, users: IDTable, items: IDTable, seed: UInt64) throws {
    let counts = positives.columnSums()
    let warmItems = counts.indices.filter { counts[$0] > 0 }
    let hashes = warmItems.map { (portableHash("\(seed)|inner|\(items[$0])"), $0) }
    let count = min(
      max(1, Int(InnerSplit.coldShare * Double(warmItems.count))), warmItems.count / 2,
      InnerSplit.mostCold)
    let chosen = hashes.sorted { $0 < $1 }.prefix(count).map { Int32($0.1) }.sorted()
    var isCold = [Bool](repeating: false, count: counts.count)
    for item in chosen { isCold[Int(item)] = true }
    var parts: [[SparseMatrix.Entry]] = [[], [], []]
    var left = counts
    let limit = UInt64(InnerSplit.share * 0x1p63) * 2
    for user in 0..<positives.rowCount {
      let row = positives.columns(ofRow: user)
      let warmCount = row.reduce(0) { $0 + (isCold[Int($1)] ? 0 : 1) }
      var heldCount = 0
      let name = users[user]
      for item in row {
        let entry = SparseMatrix.Entry(row: Int32(user), column: item)
        if isCold[Int(item)] {
          parts[1].append(entry)
        } else if heldCount + 1 < warmCount, left[Int(item)] > 1,
          portableHash("\(seed)|held|\(name)|\(items[Int(item)])") < limit
        {
          // Every user and every item keeps a positive to be known by.
          parts[2].append(entry)
          heldCount += 1
          left[Int(item)] -= 1
        } else {
          parts[0].append(entry)
        }
      }
    }
    let matrices = try parts.map {
      try SparseMatrix(
        rowCount: positives.rowCount, columnCount: positives.columnCount, entries: $0)
    }
    (train, cold, held) = (matrices[0], matrices[1], matrices[2])
    histories = try SparseMatrix(
      rowCount: positives.rowCount, columnCount: positives.columnCount, entries: parts[0] + parts[2]
    )
    pseudoCold = chosen
    let trained = train.columnSums()
    warm = trained.indices.filter { trained[$0] > 0 }.map { Int32($0) }
  }

  /// At most `limit` users with training positives and with entries in `relevant`, by hash.
  package func users(_ relevant: SparseMatrix, names: IDTable, limit: Int) -> [Int32] {
    let eligible = (0..<train.rowCount).filter {
      !train.columns(ofRow: $0).isEmpty && !relevant.columns(ofRow: $0).isEmpty
    }
    let chosen = eligible.map { (portableHash("validation|\(names[$0])"), $0) }.sorted { $0 < $1 }
    return chosen.prefix(limit).map { Int32($0.1) }.sorted()
  }
}

extension RankedLists {
  /// The mean NDCG@20 of lists of 20: row n is that of `users[n]`, whose relevant items are a row of
  /// `relevant` with at least one entry.
  func meanNDCG(_ users: [Int32], relevant: SparseMatrix) -> Double {
    ndcg(users, relevant: relevant).reduce(0, +) / Double(max(1, users.count))
  }

  /// The same for each list.
  func ndcg(_ users: [Int32], relevant: SparseMatrix) -> [Double] {
    users.enumerated().map { row, user in
      let wanted = relevant.columns(ofRow: Int(user))
      var gain = 0.0
      for (rank, item) in items(ofRow: row).enumerated() where wanted.contains(item) {
        gain += 1 / log2(Double(rank) + 2)
      }
      return gain / (0..<min(20, wanted.count)).reduce(0.0) { $0 + 1 / log2(Double($1) + 2) }
    }
  }
}
