/// Reads rows without a header and without quoting, whose columns are known (``LineLayout``).
final class LineTableReader: TableReader {
  let header: [String]
  private let layout: LineLayout
  private let lines: LineReader
  private var ranges: [Range<Int>] = []
  private var current = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
  /// The line in UTF-8 when the file's isn't, and the column made of flags.
  private let converted = FieldBytes()
  private let flagBytes = FieldBytes()
  private var isConverted = false

  var name: String { lines.name }
  var line: Int { lines.line }
  var badRowCount: Int { lines.badLineCount }
  var firstBadRow: String? { lines.firstBadLine }

  init(_ layout: LineLayout, lines: LineReader) {
    self.layout = layout
    self.lines = lines
    lines.acceptsAnyBytes = layout.isLatin1
    header = layout.columns + (layout.flags.isEmpty ? [] : [layout.flagColumn])
  }

  func next() throws -> Bool {
    while let line = try lines.next() {
      if line.isEmpty { continue }
      isConverted = layout.isLatin1 && !isValidUTF8(line)
      if isConverted { convert(line) }
      current = line
      ranges.removeAll(keepingCapacity: true)
      LineLayout.forEachField(bytes, separator: layout.separator) { ranges.append($0) }
      let wanted = layout.columns.count + layout.flags.count
      if ranges.count == wanted {
        if !layout.flags.isEmpty { joinFlags() }
        return true
      }
      try reject(
        "\(ranges.count) fields instead of the \(wanted) of \(layout.title)",
        advice: "correct the row")
    }
    return false
  }

  func field(_ column: Int) -> UnsafeBufferPointer<UInt8> {
    precondition(column < header.count, "no column \(column)")
    if column >= layout.columns.count { return flagBytes.bytes }
    return UnsafeBufferPointer(rebasing: bytes[ranges[column]])
  }

  func reject(_ what: String, advice: String) throws {
    try lines.reject(what, advice: advice)
  }

  /// The row's bytes.
  private var bytes: UnsafeBufferPointer<UInt8> { isConverted ? converted.bytes : current }

  /// Latin-1's numbers are Unicode's.
  private func convert(_ line: UnsafeBufferPointer<UInt8>) {
    converted.removeAll()
    for byte in line {
      if byte < 0x80 {
        converted.append(byte)
      } else {
        converted.append(0xC0 | byte >> 6)
        converted.append(0x80 | byte & 0x3F)
      }
    }
  }

  private func joinFlags() {
    flagBytes.removeAll()
    for (place, flag) in layout.flags.enumerated() {
      let range = ranges[layout.columns.count + place]
      guard range.count == 1, bytes[range.lowerBound] == UInt8(ascii: "1") else { continue }
      if !flagBytes.isEmpty { flagBytes.append(UInt8(ascii: "|")) }
      flagBytes.append(flag)
    }
  }
}
