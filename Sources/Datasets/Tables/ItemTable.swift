import Foundation

/// Items with their texts and features; row i belongs to id i.
public struct ItemTable: Sendable, Equatable {
  /// The items' ids.
  public let ids: IDTable
  /// A text for each item; may be empty.
  public let texts: [String]
  /// The other columns, nil when there are none.
  public let features: FeatureTable?
  /// How many malformed rows were left out.
  public let badRowCount: Int

  /// Creates a table from its parts.
  public init(ids: IDTable, texts: [String], features: FeatureTable? = nil, badRowCount: Int = 0) {
    precondition(texts.count == ids.count, "\(texts.count) texts for \(ids.count) items")
    self.ids = ids
    self.texts = texts
    self.features = features
    self.badRowCount = badRowCount
  }

  /// The number of items.
  public var count: Int { ids.count }

  /// Reads an items file: an id column, text columns, and features in the other columns.
  ///
  /// The text is the column `text`, else title, description and their like, joined by ". ", with genres
  /// and tags behind them.
  ///
  /// - Throws: `DatasetError` for a malformed row, a missing column, a missing or repeated id, and a
  ///   file without items.
  public static func load(from url: URL, options: TableOptions = TableOptions()) throws -> ItemTable
  {
    let (table, texts) = try EntityTable.load(
      path: url.path, kind: .items, options: options)
    guard table.ids.count > 0 else {
      throw DatasetError(
        "no items", path: url.path, advice: "give a file with a header and a row for each item")
    }
    return ItemTable(
      ids: table.ids, texts: texts, features: table.features, badRowCount: table.badRowCount)
  }

  /// Builds the table from text columns inside a behaviours file; an item's first row gives its text.
  ///
  /// - Returns: nil when the file has no text column.
  /// - Throws: `DatasetError` for a malformed row or a missing item column.
  public static func load(
    fromBehaviors url: URL, options: TableOptions = TableOptions()
  ) throws -> ItemTable? {
    let (reader, title) = try TableOpening.open(
      path: url.path, kind: .behaviors, options: options)
    let names = ColumnNames(header: reader.header)
    // What a reviewer wrote is not what the item is.
    let isReviews = names.first(of: ["review_text", "helpful_vote", "verified_purchase"]) != nil
    if isReviews && options.textColumns.isEmpty { return nil }
    let text = try TextColumns(names, override: options.textColumns, file: reader.name)
    guard !text.columns.isEmpty else { return nil }
    let item = try names.required(
      "item", override: options.itemColumn, aliases: ColumnNames.itemAliases,
      flag: "--item-column", file: reader.name)
    options.notice?(
      "\(reader.name): \(title); items are the behaviours' own, text "
        + text.columns.map { reader.header[$0] }.joined(separator: " + "))
    var ids = IDTable()
    var texts: [String] = []
    while try reader.next() {
      let id = reader.field(item)
      if id.isEmpty { continue }
      let index = ids.insert(id)
      if index == texts.count {
        texts.append(text.join(reader.string))
      } else if texts[index].isEmpty {
        texts[index] = text.join(reader.string)
      }
    }
    return ItemTable(ids: ids, texts: texts, badRowCount: reader.badRowCount)
  }

  /// The items of a behaviours file: those of `items` when given, else of text columns inside it, else
  /// of a file of a known name beside it: items.csv, movies.dat, u.item, news.tsv and their like.
  ///
  /// - Throws: `DatasetError` when there are no texts anywhere, or for a malformed file.
  public static func find(
    forBehaviors behaviors: URL, items: URL?, options: TableOptions = TableOptions()
  ) throws -> ItemTable {
    if let items { return try load(from: items, options: options) }
    let path = try TableOpening.file(behaviors.path, kind: .behaviors)
    if let inside = try load(fromBehaviors: URL(fileURLWithPath: path), options: options) {
      return inside
    }
    if let beside = TableOpening.items(besides: path) {
      return try load(from: URL(fileURLWithPath: beside), options: options)
    }
    throw DatasetError(
      "no item texts: no text column in the file and no items.csv beside it", path: behaviors.path,
      advice: "give the items with --items, or name the text column with --text-column")
  }
}
