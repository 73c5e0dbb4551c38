/// What files of items and of users have in common: an id column, feature columns, perhaps texts.
struct EntityTable {
  var ids = IDTable()
  var features: FeatureTable?
  var badRowCount = 0

  /// Reads the file; the texts are empty for users.
  static func load(
    path: String, kind: TableKind, options: TableOptions
  ) throws -> (EntityTable, texts: [String]) {
    let (reader, title) = try TableOpening.open(
      path: try TableOpening.file(path, kind: kind), kind: kind, options: options)
    let names = ColumnNames(header: reader.header)
    let id = try idColumn(names, kind, options, reader.name)
    let text = kind == .items ? try textColumns(names, id: id, options, reader.name) : nil
    let featureColumns = reader.header.indices.filter { column in
      guard column != id else { return false }
      guard let text, text.columns.contains(column) else { return true }
      return names.all(of: ColumnNames.wordAliases).contains(column)
    }
    let joined = text.map {
      ", text \($0.columns.map { reader.header[$0] }.joined(separator: " + "))"
    }
    options.notice?(
      "\(reader.name): \(title); id \(reader.header[id])\(joined ?? ""), "
        + "\(featureColumns.count) columns of features")
    var table = EntityTable()
    var texts: [String] = []
    var values = featureColumns.map {
      FeatureTable.Column(name: ColumnNames.plain(reader.header[$0]), values: [])
    }
    while try reader.next() {
      guard try table.addID(reader, id) else { continue }
      if let text { texts.append(text.join(reader.string)) }
      for (place, column) in featureColumns.enumerated() {
        values[place].values.append(reader.string(column))
      }
    }
    table.badRowCount = reader.badRowCount
    if !values.isEmpty { table.features = FeatureTable(columns: values, rowCount: table.ids.count) }
    return (table, texts)
  }

  /// Adds the row's id; false when the row is left out.
  private mutating func addID(_ reader: any TableReader, _ column: Int) throws -> Bool {
    let name = reader.header[column]
    if reader.field(column).isEmpty {
      try reader.reject("no \(name)", advice: "give each row an id")
      return false
    }
    let before = ids.count
    ids.insert(reader.field(column))
    if ids.count == before {
      try reader.reject(
        "\(name) '\(reader.string(column))' a second time", advice: "keep one row for each id")
      return false
    }
    return true
  }

  private static func idColumn(
    _ names: ColumnNames, _ kind: TableKind, _ options: TableOptions, _ file: String
  ) throws -> Int {
    switch kind {
    case .items, .behaviors:
      try names.required(
        "item id", override: options.itemColumn, aliases: ColumnNames.itemAliases + ["id"],
        flag: "--item-column", file: file)
    case .users:
      try names.required(
        "user id", override: options.userColumn, aliases: ColumnNames.userAliases + ["id"],
        flag: "--user-column", file: file)
    }
  }

  private static func textColumns(
    _ names: ColumnNames, id: Int, _ options: TableOptions, _ file: String
  ) throws -> TextColumns {
    let text = try TextColumns(names, override: options.textColumns, file: file)
    guard !text.columns.isEmpty else {
      throw DatasetError(
        "no text column among: \(names.header.joined(separator: ", "))", path: file, line: 1,
        advice: "name it with --text-column")
    }
    return text
  }
}
