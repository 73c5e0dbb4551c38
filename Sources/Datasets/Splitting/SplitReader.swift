import Foundation

extension ColdSplit {
  /// Reads a split back from its folder, also one written by bench/baselines.py.
  ///
  /// - Parameter items: gives the items their numbers (those of the catalogue); without it they are
  ///   numbered as they come.
  /// - Throws: `DatasetError` for a missing or malformed file, an item that `items` doesn't have, and a
  ///   cold item among the training rows.
  public static func read(from folder: URL, items: IDTable? = nil) throws -> ColdSplit {
    var reader = SplitReader(folder: folder, itemsAreFixed: items != nil, items: items ?? IDTable())
    return try reader.read()
  }
}

/// Reads the files of a split under common id tables.
private struct SplitReader {
  let folder: URL
  let itemsAreFixed: Bool
  var items: IDTable
  var users = IDTable()

  mutating func read() throws -> ColdSplit {
    let info = try info()
    for user in try lines("users.txt") { users.insert(user) }
    let warm = try itemList("warm_items.txt")
    let cold = try itemList("cold_items.txt")
    let hasValidation = FileManager.default.fileExists(atPath: path("val_cold.csv"))
    let validationItems = hasValidation ? try itemList("val_cold_items.txt") : []
    var parts = [
      try rows("train.csv"), try rows("test_warm.csv"), try rows("test_cold.csv"),
      hasValidation ? try rows("val_cold.csv") : nil,
    ].map { $0 ?? Behaviors(users: users, items: items, userIndex: [], itemIndex: [], labels: []) }
    for part in parts.indices {
      parts[part].users = users
      parts[part].items = items
    }
    let split = ColdSplit(
      train: parts[0], testWarm: parts[1], testCold: parts[2], validationCold: parts[3],
      warmItems: warm, coldItems: cold, validationColdItems: validationItems, info: info)
    try check(split)
    return split
  }

  private func check(_ split: ColdSplit) throws {
    var isCold = [Bool](repeating: false, count: items.count)
    for item in split.coldItems + split.validationColdItems { isCold[Int(item)] = true }
    guard let row = split.train.itemIndex.first(where: { isCold[Int($0)] }) else { return }
    throw DatasetError(
      "the cold item '\(items[Int(row)])' has training rows", path: path("train.csv"),
      advice: "make the split again")
  }

  private func info() throws -> SplitInfo {
    guard let data = FileManager.default.contents(atPath: path("split.json")) else {
      throw DatasetError(
        "no split.json", path: folder.path, advice: "make the split with `encoder split`")
    }
    do {
      return try JSONDecoder().decode(SplitInfo.self, from: data)
    } catch {
      throw DatasetError(
        "not a split.json", path: path("split.json"), advice: "make the split with `encoder split`")
    }
  }

  private mutating func itemList(_ name: String) throws -> [Int32] {
    try lines(name).enumerated().map { line, id in
      if itemsAreFixed {
        guard let index = items.index(of: id) else {
          throw DatasetError(
            "item '\(id)' is not in the items file", path: path(name), line: line + 1,
            advice: "give the items file that the split was made with")
        }
        return Int32(index)
      }
      return Int32(items.insert(id))
    }
  }

  /// The rows of a file, nil when it has a header only.
  private mutating func rows(_ name: String) throws -> Behaviors? {
    let reader = try DelimitedReader(path: path(name), format: .csv)
    guard try reader.next() else { return nil }
    var options = TableOptions()
    options.unknownItems = .reject
    let (behaviors, report) = try Behaviors.load(
      path: path(name), itemIDs: items, options: options, users: users)
    users = behaviors.users
    guard report.rowsKept == report.rowsRead else {
      throw DatasetError(
        "rows that can't be used (\(report.droppedInWords))", path: path(name),
        advice: "make the split again")
    }
    return behaviors
  }

  private func lines(_ name: String) throws -> [String] {
    guard let data = FileManager.default.contents(atPath: path(name)),
      let text = String(validating: data, as: UTF8.self)
    else {
      throw DatasetError(
        "missing or not UTF-8", path: path(name), advice: "make the split with `encoder split`")
    }
    return text.utf8.split(separator: UInt8(ascii: "\n")).map { String($0) ?? "" }
  }

  private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
}
