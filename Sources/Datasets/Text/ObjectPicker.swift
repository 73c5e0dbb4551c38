import Foundation

/// Takes the id and the text out of one JSON object.
struct ObjectPicker: Sendable {
  /// What is wrong with an object.
  struct Problem: Error {
    let what: String
    let advice: String
  }

  let textColumns: [String]
  let idColumn: String?

  func pick(_ line: UnsafeBufferPointer<UInt8>) throws -> (id: String?, text: String) {
    let object = try parse(line)
    // A dictionary has no order, so that of the names decides: title before description.
    let names = ColumnNames(
      header: object.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    let idKey =
      idColumn ?? names.first(of: ColumnNames.itemAliases + ["id"]).map { names.header[$0] }
    let id = idKey.flatMap { object[$0] }.flatMap(plainText)
    let columns = textKeys(names)
    guard !columns.isEmpty else {
      throw Problem(what: "no text in the object", advice: "name its key with --text-column")
    }
    let parts = try columns.map { key in
      guard let value = object[key] else {
        throw Problem(what: "no key '\(key)' in the object", advice: "correct --text-column")
      }
      return plainText(value) ?? ""
    }
    return (id, parts.count == 1 ? parts[0] : joinSentences(parts))
  }

  private func textKeys(_ names: ColumnNames) -> [String] {
    if !textColumns.isEmpty { return textColumns }
    if let text = names.first(of: ["text"]) { return [names.header[text]] }
    let prose = ColumnNames.proseAliases.compactMap { alias in names.first(of: [alias]) }
    if prose.isEmpty { return [] }
    let words = ColumnNames.wordAliases.compactMap { alias in names.first(of: [alias]) }
    return (prose + words).map { names.header[$0] }
  }

  /// The one place that knows how JSON is parsed.
  private func parse(_ line: UnsafeBufferPointer<UInt8>) throws -> [String: Any] {
    guard let object = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any] else {
      throw Problem(what: "not a JSON object", advice: "give one object a line")
    }
    return object
  }

  /// The text of a string, number or list of these; nil for null, objects and truth values.
  private func plainText(_ value: Any) -> String? {
    switch value {
    case let text as String: text
    case let list as [Any]: list.compactMap(plainText).joined(separator: " ")
    case let number as NSNumber: number.stringValue
    default: nil
    }
  }
}
