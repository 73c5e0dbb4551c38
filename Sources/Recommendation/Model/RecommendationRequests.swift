import Datasets
public import Kernels

/// Whom to recommend to: histories over a catalogue, features and names, row by row.
public struct RecommendationRequests: Sendable {
  /// The model whose catalogue the histories are over; for texts it holds them as items for a while.
  public let model: Recommender
  /// Items of the catalogue without those texts.
  public let itemCount: Int
  /// Shape (rows, items of ``model``).
  public let histories: SparseMatrix
  /// Shape (rows, userInputs), or nil.
  public let features: DenseMatrix?
  /// What the lists are called.
  public let names: [String]
}

extension Recommender {
  /// Histories of users by their number in ``users``, with newer behaviours; numbers beyond are new users.
  ///
  /// - Throws: `SparseMatrixError` for an item outside the catalogue.
  public func requests(
    users chosen: [Int32], names: [String], newer: [(user: Int32, item: Int32)]
  ) throws -> RecommendationRequests {
    var added: [Int32: [Int32]] = [:]
    for pair in newer { added[pair.user, default: []].append(pair.item) }
    let lists = chosen.map { user -> [Int32] in
      let old =
        Int(user) < histories.rowCount ? Array(histories.columns(ofRow: Int(user))) : []
      return Array(Set(old + (added[user] ?? []))).sorted()
    }
    let width = models.network.configuration.userInputs
    var features: DenseMatrix?
    if width > 0 {
      var rows = DenseMatrix(rowCount: chosen.count, columnCount: width)
      for (row, user) in chosen.enumerated() {
        guard let table = userFeatures, Int(user) < table.rowCount else { continue }
        for d in 0..<width { rows[row, d] = table[Int(user), d] }
      }
      features = rows
    }
    return RecommendationRequests(
      model: self, itemCount: items.count,
      histories: try SparseMatrix(histories: lists, columnCount: items.count),
      features: features, names: names)
  }

  /// A text as a history: itself, and the warm items nearest to it by whitened text, with weights that
  /// sum to 1, so that the collaborative parts have something to say.
  ///
  /// - Throws: `RecommenderError` when a text can't be added.
  public func requests(like texts: [String], workers: Workers) throws -> RecommendationRequests {
    var model = self
    var ids: [String] = []
    for index in texts.indices {
      var id = "text \(index + 1)"
      while items.ids.index(of: id) != nil { id += "'" }
      ids.append(id)
    }
    try model.addItems(ItemTable(ids: IDTable(ids), texts: texts), workers: workers)
    var entries: [SparseMatrix.Entry] = []
    for row in texts.indices {
      let item = items.count + row
      entries.append(.init(row: Int32(row), column: Int32(item)))
      let near = model.space.textNeighbours
      for place in near.offsets[item]..<near.offsets[item + 1] {
        entries.append(
          .init(row: Int32(row), column: near.columns[place], value: near.values[place]))
      }
    }
    return RecommendationRequests(
      model: model, itemCount: items.count,
      histories: try SparseMatrix(
        rowCount: texts.count, columnCount: model.items.count, entries: entries),
      features: nil, names: texts)
  }
}
