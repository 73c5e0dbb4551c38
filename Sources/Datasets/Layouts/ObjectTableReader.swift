import Tokenization

/// Reads one JSON object a line as the rows of a table.
///
/// The columns are the keys of the first objects, in their order. A key that is missing, null or holds an
/// object is an empty field; a list is its elements joined, by `|` where the column is one of words
/// (categories, tags) and by blanks elsewhere.
final class ObjectTableReader: TableReader {
  private(set) var header: [String] = []
  private(set) var line = 0
  private let lines: LineReader
  private var sample: [(line: Int, object: JSONValue)] = []
  private var sampled = 0
  private var fields: [FieldBytes] = []
  private var isWords: [Bool] = []
  private var columns: [[UInt8]: Int] = [:]
  /// Objects whose keys make the header.
  private static let sampleSize = 256

  var name: String { lines.name }
  var badRowCount: Int { lines.badLineCount }
  var firstBadRow: String? { lines.firstBadLine }

  init(lines: LineReader) throws {
    self.lines = lines
    while sample.count < ObjectTableReader.sampleSize, let object = try nextObject() {
      sample.append((lines.line, object))
      guard case .object(let members) = object else { continue }
      for member in members where columns[Array(member.key.utf8)] == nil {
        columns[Array(member.key.utf8)] = header.count
        header.append(member.key)
      }
    }
    guard !header.isEmpty else {
      throw DatasetError(
        "no JSON object", path: lines.name, advice: "give a file with one object a line")
    }
    let words = Set(ColumnNames(header: header).all(of: ColumnNames.wordAliases))
    isWords = header.indices.map { words.contains($0) }
    fields = header.map { _ in FieldBytes() }
  }

  func next() throws -> Bool {
    let object: JSONValue
    if sampled < sample.count {
      (line, object) = sample[sampled]
      sampled += 1
    } else {
      sample.removeAll()
      sampled = 0
      guard let read = try nextObject() else { return false }
      (line, object) = (lines.line, read)
    }
    for field in fields { field.removeAll() }
    guard case .object(let members) = object else { return true }
    for member in members {
      guard let column = columns[Array(member.key.utf8)] else { continue }
      append(member.value, to: column)
    }
    return true
  }

  func field(_ column: Int) -> UnsafeBufferPointer<UInt8> {
    fields[column].bytes
  }

  func reject(_ what: String, advice: String) throws {
    try lines.reject(what, line: line, advice: advice)
  }

  private func nextObject() throws -> JSONValue? {
    while let bytes = try lines.next() {
      if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
      do {
        let value = try JSONValue.parse(UnsafeRawBufferPointer(bytes))
        if case .object = value { return value }
        try lines.reject("not a JSON object", advice: "give one object a line")
      } catch let error as JSONError {
        try lines.reject(
          "not a JSON object (\(error.message), byte \(error.offset))",
          advice: "give one object a line")
      }
    }
    return nil
  }

  private func append(_ value: JSONValue, to column: Int) {
    switch value {
    case .null, .object: break
    case .bool(let truth): add(truth ? "true" : "false", to: column)
    case .integer(let number): add(String(number), to: column)
    case .number(let number): add(shortText(number), to: column)
    case .string(let text): add(text, to: column)
    case .array(let elements): for element in elements { append(element, to: column) }
    }
  }

  private func add(_ text: String, to column: Int) {
    if text.isEmpty { return }
    if !fields[column].isEmpty {
      fields[column].append(isWords[column] ? UInt8(ascii: "|") : 0x20)
    }
    fields[column].append(text)
  }
}
