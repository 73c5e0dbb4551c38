import Datasets
import Kernels

/// The input in index form: users with their features, positives, labelled rows.
struct FinetuneData: Sendable {
  let items: ItemTable
  /// Users of the behaviours, then those that have features only.
  let users: IDTable
  let positives: SparseMatrix
  let labelled: TowerData.LabelledRows
  let itemSchema: FeatureSchema?
  /// Columns of features, then those of item vectors.
  let itemFeatures: DenseMatrix?
  let vectorBlocks: [VectorBlock]
  let vectorFeatures: DenseMatrix?
  let userSchema: FeatureSchema?
  let userFeatures: DenseMatrix?

  init(_ input: FinetuneInput) throws {
    items = input.items
    var users = input.behaviors.users
    if let table = input.users { for id in table.ids.strings { _ = users.insert(id) } }
    self.users = users
    let b = input.behaviors
    var entries: [SparseMatrix.Entry] = []
    for row in 0..<b.count where input.rule.isPositive(b.labels[row]) {
      entries.append(.init(row: b.userIndex[row], column: b.itemIndex[row]))
    }
    positives = try SparseMatrix(
      rowCount: users.count, columnCount: items.count, entries: entries, duplicates: .last)
    var labelled = TowerData.LabelledRows()
    for row in 0..<b.count where b.labels[row] != input.rule.unratedLabel {
      labelled.users.append(b.userIndex[row])
      labelled.items.append(b.itemIndex[row])
      labelled.labels.append(b.labels[row])
    }
    self.labelled = labelled
    let counts = positives.columnSums()
    let warm = counts.indices.filter { counts[$0] > 0 }
    let columns: DenseMatrix?
    (itemSchema, columns) = FinetuneData.encode(items.features, fitRows: warm)
    let ids = input.items.ids
    vectorBlocks = try input.itemVectors.map {
      try VectorBlock.fit($0, items: ids, rows: warm)
    }
    vectorFeatures = try vectorBlocks.rows(of: input.itemVectors, for: ids)
    itemFeatures = DenseMatrix.beside(columns, vectorFeatures)
    let spread = input.users.flatMap { FinetuneData.spread($0, over: users) }
    (userSchema, userFeatures) = FinetuneData.encode(spread, fitRows: nil)
  }

  /// A schema fitted to the table and the rows under it; nil without a usable column.
  private static func encode(
    _ table: FeatureTable?, fitRows: [Int]?
  ) -> (FeatureSchema?, DenseMatrix?) {
    guard let table else { return (nil, nil) }
    let schema = FeatureSchema.fit(on: table, rows: fitRows)
    guard schema.width > 0 else { return (nil, nil) }
    return (schema, schema.rows(of: table))
  }

  /// The features of users.csv in the order of `users`; a user who isn't in the file has none.
  static func spread(_ table: UserTable, over users: IDTable) -> FeatureTable? {
    guard let features = table.features else { return nil }
    let places = (0..<users.count).map { table.ids.index(of: users[$0]) }
    return FeatureTable(
      columns: features.columns.map { column in
        .init(name: column.name, values: places.map { $0.map { column.values[$0] } ?? "" })
      }, rowCount: users.count)
  }
}

extension FeatureSchema {
  /// The rows of a table as a matrix, (rows, width).
  func rows(of table: FeatureTable) -> DenseMatrix {
    DenseMatrix(rowCount: table.rowCount, columnCount: width, values: encode(table))
  }
}
