import Datasets
import Kernels

extension Recommender {
  /// A known item that a table has other contents of: its number here, and its row there.
  struct ChangedItem {
    let item: Int32
    let row: Int
  }

  /// The known items whose text, or a value of whose columns, is another in `table`, ascending.
  ///
  /// A column that the table lacks says nothing; an empty value in it takes the place of the old one.
  func changedItems(in table: ItemTable) -> [ChangedItem] {
    let columns = (items.features?.columns ?? []).compactMap { old in
      table.features?.column(named: old.name).map { (old: old.values, new: $0.values) }
    }
    func isSame(_ item: Int, _ row: Int) -> Bool {
      items.texts[item].utf8.elementsEqual(table.texts[row].utf8)
        && columns.allSatisfy { $0.old[item].utf8.elementsEqual($0.new[row].utf8) }
    }
    var changes: [ChangedItem] = []
    for row in 0..<table.count {
      guard let item = items.ids.index(of: table.ids[row]), !isSame(item, row) else { continue }
      changes.append(ChangedItem(item: Int32(item), row: row))
    }
    return changes.sorted { $0.item < $1.item }
  }

  /// A copy in which some known items have the contents that `table` gives them, represented as new items
  /// are: by text, columns and the vectors from elsewhere that they had.
  ///
  /// What behaviours taught of the items stays: EASE's weights, ALS factors, the towers' embeddings. A warm
  /// item is others' neighbour too, so all neighbourhoods are found again.
  func changing(
    _ changes: [ChangedItem], to table: ItemTable, workers: Workers
  ) -> Recommender {
    guard !changes.isEmpty else { return self }
    let rows = changes.map(\.item)
    let count = items.count
    let changed = contents(changes, of: table)
    let texts = rows.map { changed.texts[Int($0)] }
    let inputs = DenseMatrix.beside(features(of: changed), vectorFeatures)
    let new = embed(texts, features: inputs?.selectingRows(rows), workers: workers)
    var space = space
    space.raw.replaceRows(rows, with: new.raw, rowCount: count)
    space.inputs.replaceRows(rows, with: new.inputs, rowCount: count)
    space.white.replaceRows(rows, with: new.white, rowCount: count)
    space.towerVectors.replaceRows(rows, with: new.towers, rowCount: count)
    space.words = space.words.replacingRows(
      rows, with: models.words.transform(texts), rowCount: count)
    let near = ItemSpace.neighbours(
      white: space.white, words: space.words, queries: (0..<Int32(count)).map { $0 },
      counts: space.counts, workers: workers)
    (space.textNeighbours, space.wordNeighbours) = (near.text, near.words)
    (space.wordCosines, space.kernelWeights) = (near.cosines, near.kernel)
    return replacing(items: changed, userFeatures: userFeatures, space: space)
  }

  /// ``items`` with other texts and values of some.
  private func contents(_ changes: [ChangedItem], of table: ItemTable) -> ItemTable {
    var texts = items.texts
    for change in changes { texts[Int(change.item)] = table.texts[change.row] }
    let features = items.features.map { known in
      FeatureTable(
        columns: known.columns.map { column in
          guard let new = table.features?.column(named: column.name) else { return column }
          var values = column.values
          for change in changes { values[Int(change.item)] = new.values[change.row] }
          return FeatureTable.Column(name: column.name, values: values)
        }, rowCount: known.rowCount)
    }
    return ItemTable(
      ids: items.ids, texts: texts, features: features, badRowCount: items.badRowCount)
  }
}
