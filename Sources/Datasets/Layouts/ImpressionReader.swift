/// Takes MIND's behaviors.tsv apart into rows of a user, an item, a label and a time.
///
/// A line is a list of news that was shown: `N1-1` was clicked (label 1), `N2-0` was not (label 0). The
/// history, clicks from before the log, gives rows of label 1 without a time, once a user unless it
/// changes.
final class ImpressionReader: TableReader {
  let header = ["user_id", "item_id", "label", "timestamp"]
  private let table: LineTableReader
  private enum Column {
    static let user = 1
    static let time = 2
    static let history = 3
    static let shown = 4
  }

  /// One row of the current line: where its item stands, in which column.
  private struct Row {
    let column: Int
    let item: Range<Int>
    let label: Int
  }

  private var rows: [Row] = []
  private var place = -1
  private var users = IDTable()
  /// The hash of each user's history as it was given last.
  private var histories: [UInt64] = []
  private let labels = [FieldBytes("0"), FieldBytes("1")]
  private static let separator: [UInt8] = [0x20]

  var name: String { table.name }
  var line: Int { table.line }
  var badRowCount: Int { table.badRowCount }
  var firstBadRow: String? { table.firstBadRow }

  init(lines: LineReader) {
    table = LineTableReader(.impressions, lines: lines)
  }

  func next() throws -> Bool {
    place += 1
    while place >= rows.count {
      guard try table.next() else { return false }
      place = 0
      rows.removeAll(keepingCapacity: true)
      addHistory()
      try addShown()
    }
    return true
  }

  func field(_ column: Int) -> UnsafeBufferPointer<UInt8> {
    let row = rows[place]
    switch column {
    case 0: return table.field(Column.user)
    case 1: return UnsafeBufferPointer(rebasing: table.field(row.column)[row.item])
    case 2: return labels[row.label].bytes
    default:
      return row.column == Column.shown
        ? table.field(Column.time) : UnsafeBufferPointer(start: nil, count: 0)
    }
  }

  func reject(_ what: String, advice: String) throws {
    try table.reject(what, advice: advice)
  }

  private func addHistory() {
    let history = table.field(Column.history)
    var hash = FNV1a64()
    hash.append(history)
    let user = users.insert(table.field(Column.user))
    if user == histories.count {
      histories.append(hash.value)
    } else if histories[user] == hash.value {
      return
    } else {
      histories[user] = hash.value
    }
    LineLayout.forEachField(history, separator: ImpressionReader.separator) { item in
      if !item.isEmpty { rows.append(Row(column: Column.history, item: item, label: 1)) }
    }
  }

  private func addShown() throws {
    let shown = table.field(Column.shown)
    let start = rows.count
    var isLabelled = true
    LineLayout.forEachField(shown, separator: ImpressionReader.separator) { token in
      guard !token.isEmpty else { return }
      let end = token.upperBound
      guard token.count > 2, shown[end - 2] == UInt8(ascii: "-"),
        shown[end - 1] == UInt8(ascii: "0") || shown[end - 1] == UInt8(ascii: "1")
      else {
        isLabelled = false
        return
      }
      rows.append(
        Row(
          column: Column.shown, item: token.lowerBound..<(end - 2),
          label: Int(shown[end - 1] & 1)))
    }
    guard isLabelled else {
      rows.removeSubrange(start...)
      return try reject(
        "an item of the impressions has neither -1 nor -0 behind it",
        advice: "use a file with labels: MIND's training or development set")
    }
  }
}
