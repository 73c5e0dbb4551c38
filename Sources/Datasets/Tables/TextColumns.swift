/// Which columns make an item's text, and how they are joined.
///
/// Named columns, else `text` alone, else the columns of prose (title, description, ...) in the file's
/// order and behind them those of words (genres, tags, ...). Parts are joined by ". ", or by a blank
/// behind a part that ends a sentence; `|` in a column of words becomes ", ".
package struct TextColumns: Sendable {
  /// The columns, in the order in which they are joined; empty when the file has no text.
  package let columns: [Int]
  private let isWords: [Bool]

  package init(
    _ names: ColumnNames, override: [String] = [], flag: String = "--text-column", file: String
  ) throws {
    if !override.isEmpty {
      columns = try override.map { try names.named($0, flag: flag, file: file) }
    } else if let text = names.first(of: ["text"]) {
      columns = [text]
    } else {
      let prose = names.all(of: ColumnNames.proseAliases)
      columns = prose.isEmpty ? [] : prose + names.all(of: ColumnNames.wordAliases)
    }
    let words = Set(names.all(of: ColumnNames.wordAliases))
    isWords = columns.map { words.contains($0) }
  }

  /// The text of a row whose fields `field` gives.
  package func join(_ field: (Int) -> String) -> String {
    guard columns.count != 1 else { return field(columns[0]) }
    return joinSentences(
      columns.indices.map { place in
        let part = field(columns[place])
        return isWords[place] ? part.split(separator: "|").joined(separator: ", ") : part
      })
  }
}

/// Joins texts as sentences: by a period and a blank, or a blank alone behind the end of a sentence.
///
/// Blank ones are left out.
package func joinSentences(_ parts: [String]) -> String {
  var text = ""
  for part in parts.map(trimmed) where !part.isEmpty {
    if let last = text.unicodeScalars.last {
      text += ".!?:;。！？".unicodeScalars.contains(last) ? " " : ". "
    }
    text += part
  }
  return text
}

private func trimmed(_ text: String) -> String {
  var scalars = text.unicodeScalars[...]
  while let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
  while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
  return String(scalars)
}
