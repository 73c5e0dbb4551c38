import Foundation

extension Behaviors {
  /// Reads a behaviours file: columns of users and items, and of labels and times where it has them.
  ///
  /// Rules: a row without a user or an item id, and one whose label isn't finite, is left out; an empty
  /// label counts as 1, as does each row of a file without labels; `true` and `false` are 1 and 0; a
  /// time is a number or an ISO 8601 date (read as UTC). All of it is counted in the report.
  ///
  /// - Parameter items: gives the items their numbers; rows of other items are left out and counted, or
  ///   an error by `options.unknownItems`. nil numbers the items as they come.
  /// - Throws: `DatasetError` for a malformed row, a missing column, a label or time that isn't one, and
  ///   a file without rows.
  public static func load(
    from url: URL, items: ItemTable? = nil, options: TableOptions = TableOptions()
  ) throws -> (Behaviors, DataReport) {
    try load(path: url.path, itemIDs: items?.ids, options: options)
  }

  /// Reads a behaviours file by its path ("-" is standard input, a folder stands for the file of a known
  /// name in it) under the item numbers of `itemIDs`; new users are numbered behind those of `users`.
  public static func load(
    path: String, itemIDs: IDTable?, options: TableOptions = TableOptions(),
    users: IDTable = IDTable()
  ) throws -> (Behaviors, DataReport) {
    let path = try TableOpening.file(path, kind: .behaviors)
    let (reader, title) = try TableOpening.open(path: path, kind: .behaviors, options: options)
    func run(_ reader: some TableReader) throws -> (Behaviors, DataReport) {
      var loader = try BehaviorsLoader(
        reader: reader, title: title, itemIDs: itemIDs, users: users, options: options)
      try loader.readAll()
      return loader.finish()
    }
    // The concrete type first: its loop is compiled for it.
    let (behaviors, report) =
      if let delimited = reader as? DelimitedReader { try run(delimited) } else { try run(reader) }
    if report.rowsRead == 0 {
      throw DatasetError(
        "no behaviours", path: path,
        advice: "give a file with a header and a row for each behaviour")
    }
    if behaviors.count == 0 {
      throw DatasetError(
        "none of the \(report.rowsRead) rows can be used (\(report.droppedInWords))", path: path,
        advice: "check that the item ids are those of the items file")
    }
    return (behaviors, report)
  }
}

/// The loop over the rows of a behaviours file.
private struct BehaviorsLoader<Reader: TableReader> {
  private let reader: Reader
  private let options: TableOptions
  private let userColumn: Int
  private let itemColumn: Int
  private let labelColumn: Int?
  private let timestampColumn: Int?
  private let itemsAreFixed: Bool
  private var users: IDTable
  private var items: IDTable
  private var unknown = IDTable()
  private var userIndex: [Int32] = []
  private var itemIndex: [Int32] = []
  private var labels: [Float] = []
  private var timestamps: [Double] = []
  private var report = DataReport()

  init(
    reader: Reader, title: String, itemIDs: IDTable?, users: IDTable, options: TableOptions
  ) throws {
    self.users = users
    self.reader = reader
    self.options = options
    itemsAreFixed = itemIDs != nil
    items = itemIDs ?? IDTable()
    let names = ColumnNames(header: reader.header)
    let file = reader.name
    userColumn = try names.required(
      "user", override: options.userColumn, aliases: ColumnNames.userAliases,
      flag: "--user-column", file: file)
    itemColumn = try names.required(
      "item", override: options.itemColumn, aliases: ColumnNames.itemAliases,
      flag: "--item-column", file: file)
    let label =
      try options.labelColumn.map { try names.named($0, flag: "--label-column", file: file) }
      ?? names.first(of: ColumnNames.labelAliases)
    labelColumn = options.isImplicit ? nil : label
    timestampColumn =
      try options.timestampColumn.map {
        try names.named($0, flag: "--timestamp-column", file: file)
      }
      ?? names.first(of: ColumnNames.timestampAliases)
    options.notice?("\(file): \(title); \(columnsInWords)")
  }

  /// Which column was taken for what: `user userId, item movieId, label rating, time timestamp`.
  private var columnsInWords: String {
    let parts = [
      ("user", userColumn), ("item", itemColumn), ("label", labelColumn ?? -1),
      ("time", timestampColumn ?? -1),
    ]
    return parts.map { part, column in
      column < 0 ? "no \(part)" : "\(part) \(reader.header[column])"
    }.joined(separator: ", ")
  }

  mutating func readAll() throws {
    while try reader.next() {
      report.rowsRead += 1
      let user = reader.field(userColumn)
      let item = reader.field(itemColumn)
      if user.isEmpty || item.isEmpty {
        report.missingIDs += 1
        continue
      }
      guard let label = try label() else { continue }
      guard let time = try timestamp() else { continue }
      guard let item = try index(ofItem: item) else { continue }
      userIndex.append(Int32(index(ofUser: user)))
      itemIndex.append(Int32(item))
      labels.append(label)
      if timestampColumn != nil { timestamps.append(time) }
    }
  }

  func finish() -> (Behaviors, DataReport) {
    var report = report
    report.badRows = reader.badRowCount
    report.firstBadRow = reader.firstBadRow
    report.unknownItems = unknown.count
    report.hasLabels = labelColumn != nil
    report.rowsKept = labels.count
    let behaviors = Behaviors(
      users: users, items: items, userIndex: userIndex, itemIndex: itemIndex, labels: labels,
      timestamps: timestampColumn == nil ? nil : timestamps)
    return (behaviors, report)
  }

  /// Files are mostly grouped by user, so the user before is the first guess.
  private mutating func index(ofUser id: UnsafeBufferPointer<UInt8>) -> Int {
    if let last = userIndex.last, users.matches(Int(last), id) {
      return Int(last)
    }
    return users.insert(id)
  }

  /// nil when the row is left out.
  private mutating func index(ofItem id: UnsafeBufferPointer<UInt8>) throws -> Int? {
    guard itemsAreFixed else { return items.insert(id) }
    if let index = items.index(of: id) { return index }
    if options.unknownItems == .reject {
      throw DatasetError(
        "item '\(String(decoding: id, as: UTF8.self))' is not in the items file",
        path: reader.name, line: reader.line, advice: "add it there or drop unknown items")
    }
    report.unknownItemRows += 1
    unknown.insert(id)
    return nil
  }

  /// nil when the row is left out.
  private mutating func label() throws -> Float? {
    guard let labelColumn else { return 1 }
    let field = reader.field(labelColumn)
    if field.isEmpty {
      report.missingLabels += 1
      return 1
    }
    guard let value = parseDouble(field) ?? truth(field) else {
      try reader.reject(
        "label '\(reader.string(labelColumn))' is not a number",
        advice: "correct it, or name the label column with --label-column")
      report.rowsRead -= 1
      return nil
    }
    guard value.isFinite && Float(value).isFinite else {
      report.nonFiniteLabels += 1
      return nil
    }
    return Float(value)
  }

  /// NaN when there is none; nil when the row is left out.
  private mutating func timestamp() throws -> Double? {
    guard let timestampColumn else { return .nan }
    let field = reader.field(timestampColumn)
    if field.isEmpty {
      report.missingTimestamps += 1
      return .nan
    }
    guard let value = parseTimestamp(field) else {
      try reader.reject(
        "time '\(reader.string(timestampColumn))' is neither a number nor an ISO 8601 date",
        advice: "correct it, or name the time column with --timestamp-column")
      report.rowsRead -= 1
      return nil
    }
    if value.isFinite { return value }
    report.missingTimestamps += 1
    return .nan
  }

  private func truth(_ field: UnsafeBufferPointer<UInt8>) -> Double? {
    switch String(decoding: field, as: UTF8.self).lowercased() {
    case "true": 1
    case "false": 0
    default: nil
    }
  }
}
