public import Datasets
import Kernels
import Metrics

/// A cold split in the item numbers of a catalogue: histories, candidates and held-out positives.
///
/// Full ranking: each user's candidates are all items of a set. Users without a training positive are
/// counted and left out.
public struct EvaluationSplit: Sendable {
  /// The held-out rows that are looked at.
  public enum Part: String, Sendable, Codable, CaseIterable {
    /// test_cold.csv and test_warm.csv: for once, at the end.
    case test
    /// val_cold.csv alone: for tuning.
    case validation
  }

  /// The rows that are looked at.
  public let part: Part
  /// Where the split is, for messages.
  public let place: String
  /// The split's options and counts; nil for one that was made inside fine-tuning.
  public let info: SplitInfo?
  /// The users, numbered as in the split's files.
  public let users: IDTable
  /// The number of items of the catalogue.
  public let itemCount: Int
  /// The warm items, ascending.
  public let warmItems: [Int32]
  /// The cold items of ``part``, ascending.
  public let coldItems: [Int32]
  /// Training positives, (users, items).
  public let train: SparseMatrix
  /// The users that are evaluated, ascending.
  public let evaluated: [Int32]
  /// Users with held-out positives but no training positive, who are left out.
  public let usersWithoutHistory: Int
  /// Held-out positives of warm items, (users, items).
  public let warmPositives: SparseMatrix
  /// Positives of cold items, (users, items).
  public let coldPositives: SparseMatrix
  /// The part of ``coldPositives`` that the balanced set keeps.
  public let balancedPositives: SparseMatrix
  /// Held-out rows with their labels: cold ones, then warm ones, in catalogue numbers.
  let coldRows: TowerData.LabelledRows
  let warmRows: TowerData.LabelledRows
  /// Labels of the training rows.
  let trainLabels: [Float]
  let evaluator: RankingEvaluator
  let tieOrder: [Int32]

  /// Puts a split into the numbers of `catalogue`.
  ///
  /// - Parameter place: the split's folder, for messages.
  /// - Throws: ``EvaluationError`` for items that the catalogue lacks, and when no user can be evaluated.
  public init(
    _ split: ColdSplit, catalogue: IDTable, part: Part = .test, place: String = "the split"
  ) throws {
    let names = try EvaluationSplit.numbers(of: split.train.items, in: catalogue, place)
    func numbers(_ items: [Int32]) -> [Int32] { items.map { names[Int($0)] } }
    let cold = part == .test ? split.testCold : split.validationCold
    let coldList = part == .test ? split.coldItems : split.validationColdItems
    self.part = part
    self.place = place
    info = split.info
    users = split.train.users
    itemCount = catalogue.count
    warmItems = numbers(split.warmItems).sorted()
    coldItems = numbers(coldList).sorted()
    trainLabels = split.train.labels
    let rule = split.positiveRule
    func rows(_ behaviors: Behaviors) -> TowerData.LabelledRows {
      var rows = TowerData.LabelledRows()
      rows.users = behaviors.userIndex
      rows.items = numbers(behaviors.itemIndex)
      rows.labels = behaviors.labels
      return rows
    }
    let coldRows = rows(cold)
    self.coldRows = coldRows
    warmRows = part == .test ? rows(split.testWarm) : TowerData.LabelledRows()
    let kept = cold.labels.indices.filter {
      rule.isPositive(cold.labels[$0])
        && split.isInBalancedSet(user: Int(cold.userIndex[$0]), item: Int(cold.itemIndex[$0]))
    }
    let pairs = EvaluationSplit.Positives(userCount: users.count, rule: rule)
    train = try pairs.matrix(rows(split.train), itemCount: catalogue.count)
    warmPositives = try pairs.matrix(warmRows, itemCount: catalogue.count)
    coldPositives = try pairs.matrix(coldRows, itemCount: catalogue.count)
    balancedPositives = try SparseMatrix(
      rowCount: users.count, columnCount: catalogue.count,
      entries: kept.map { .init(row: cold.userIndex[$0], column: coldRows.items[$0]) },
      duplicates: .last)
    tieOrder = NumPyPermutation.make(catalogue.count, seed: 7)
    evaluator = RankingEvaluator(
      itemCount: catalogue.count, warmItems: warmItems, coldItems: coldItems,
      train: pairs.rows(rows(split.train)), testWarm: pairs.rows(warmRows),
      testCold: pairs.rows(coldRows),
      balancedCold: InteractionRows(
        userCount: users.count, users: kept.map { cold.userIndex[$0] },
        items: kept.map { coldRows.items[$0] }),
      tieOrder: tieOrder)
    evaluated = evaluator.users.map { Int32($0) }
    usersWithoutHistory = evaluator.usersWithoutHistory
    guard !evaluated.isEmpty else { throw EvaluationError.nothingHeldOut(split: place, part) }
  }

  /// The division that fine-tuning made inside its behaviours: some warm items play cold.
  ///
  /// Of the cold positives as large a share is kept in the balanced set as warm ones are held out.
  ///
  /// - Parameter limit: users to evaluate by their cold positives, and as many by their warm ones.
  /// - Throws: ``EvaluationError`` when no user can be evaluated.
  init(_ inner: InnerSplit, users: IDTable, items: IDTable, limit: Int) throws {
    part = .validation
    place = "the validation inside fine-tuning"
    info = nil
    self.users = users
    itemCount = items.count
    (warmItems, coldItems, train) = (inner.warm, inner.pseudoCold, inner.train)
    let chosen = Set(
      inner.users(inner.cold, names: users, limit: limit)
        + inner.users(inner.held, names: users, limit: limit))
    func entries(_ matrix: SparseMatrix, _ isKept: (Int, Int32) -> Bool = { _, _ in true })
      -> [SparseMatrix.Entry]
    {
      (0..<matrix.rowCount).filter { chosen.contains(Int32($0)) }.flatMap { user in
        matrix.columns(ofRow: user).filter { isKept(user, $0) }.map {
          SparseMatrix.Entry(row: Int32(user), column: $0)
        }
      }
    }
    let limit = UInt64(InnerSplit.share * 0x1p63) * 2
    let parts = [
      entries(inner.held), entries(inner.cold),
      entries(inner.cold) { user, item in
        portableHash("balance|\(users[user])|\(items[Int(item)])") < limit
      },
    ]
    let matrices = try parts.map {
      try SparseMatrix(rowCount: users.count, columnCount: items.count, entries: $0)
    }
    (warmPositives, coldPositives, balancedPositives) = (matrices[0], matrices[1], matrices[2])
    (coldRows, warmRows) = (TowerData.LabelledRows(), TowerData.LabelledRows())
    trainLabels = []
    tieOrder = NumPyPermutation.make(items.count, seed: 7)
    let rows = parts.map { part in
      InteractionRows(
        userCount: users.count, users: part.map(\.row), items: part.map(\.column))
    }
    let histories = (0..<users.count).flatMap { user in
      inner.train.columns(ofRow: user).map { (Int32(user), $0) }
    }
    evaluator = RankingEvaluator(
      itemCount: items.count, warmItems: warmItems, coldItems: coldItems,
      train: InteractionRows(
        userCount: users.count, users: histories.map(\.0), items: histories.map(\.1)),
      testWarm: rows[0], testCold: rows[1], balancedCold: rows[2], tieOrder: tieOrder)
    evaluated = evaluator.users.map { Int32($0) }
    usersWithoutHistory = 0
    guard !evaluated.isEmpty else { throw EvaluationError.nothingHeldOut(split: place, part) }
  }

  /// The histories of the evaluated users, row by row.
  public var histories: SparseMatrix { train.selectingRows(evaluated) }

  /// The catalogue's number of each item of the split.
  private static func numbers(
    of items: IDTable, in catalogue: IDTable, _ place: String
  ) throws -> [Int32] {
    let numbers = (0..<items.count).map { item in
      items.withBytes(of: item) { catalogue.index(of: $0) }.map { Int32($0) }
    }
    let missing = numbers.indices.filter { numbers[$0] == nil }
    guard missing.isEmpty else {
      throw EvaluationError.unknownItems(
        split: place, count: missing.count, examples: missing.prefix(3).map { items[$0] })
    }
    return numbers.compactMap { $0 }
  }

  /// Turns labelled rows into positives.
  private struct Positives {
    let userCount: Int
    let rule: PositiveRule

    private func places(_ rows: TowerData.LabelledRows) -> [Int] {
      rows.labels.indices.filter { rule.isPositive(rows.labels[$0]) }
    }

    func rows(_ rows: TowerData.LabelledRows) -> InteractionRows {
      let places = places(rows)
      return InteractionRows(
        userCount: userCount, users: places.map { rows.users[$0] },
        items: places.map { rows.items[$0] })
    }

    func matrix(_ rows: TowerData.LabelledRows, itemCount: Int) throws -> SparseMatrix {
      try SparseMatrix(
        rowCount: userCount, columnCount: itemCount,
        entries: places(rows).map { .init(row: rows.users[$0], column: rows.items[$0]) },
        duplicates: .last)
    }
  }
}
