/// Reads a CSV or TSV file row by row; the fields are byte ranges of one reused buffer.
///
/// RFC 4180: quoted commas, doubled quotes, quoted line ends; CRLF, a byte order mark, gzip and
/// standard input are read too. Empty lines are passed over. The first row is the header.
///
///     let reader = try DelimitedReader(path: "behaviors.csv")
///     while try reader.next() { print(reader.string(0), reader.line) }
public final class DelimitedReader {
  /// What errors call the file.
  public let name: String
  /// The column names, as in the file.
  public private(set) var header: [String] = []
  /// The line, from 1, on which the current row begins.
  public private(set) var line = 1
  /// How many malformed rows were left out; stays 0 unless `skipBadRows`.
  public private(set) var badRowCount = 0
  /// What was wrong with the first row that was left out.
  public private(set) var firstBadRow: String?

  private let buffer: RowBuffer
  private let skipBadRows: Bool
  private var position: Int
  private var nextLine = 1
  /// 0 while the header is read.
  private var columnCount = 0
  private let scanner: RowScanner
  /// A row longer than this is taken for an unclosed quote.
  private static let maximumRowBytes = 1 << 26

  /// Opens `path` ("-" is standard input) and reads the header.
  ///
  /// - Parameters:
  ///   - format: nil takes it from the file's name, else from the first line.
  ///   - skipBadRows: counts malformed rows instead of throwing.
  ///   - bufferSize: the bytes read at once; the buffer grows when a row is longer.
  /// - Throws: `DatasetError` for a file that can't be read, has no header or a malformed one.
  public convenience init(
    path: String, format: DelimitedFormat? = nil, skipBadRows: Bool = false,
    bufferSize: Int = 1 << 20
  ) throws {
    let source = try ByteSource(path: path)
    let buffer = try RowBuffer(source, capacity: bufferSize)
    let firstLine = UnsafeBufferPointer(rebasing: buffer.head.prefix { $0 != 0x0A })
    try self.init(
      buffer, name: source.name,
      format: format ?? DelimitedFormat(path: path) ?? DelimitedFormat(firstLine: firstLine),
      columns: nil, skipBadRows: skipBadRows)
  }

  /// Reads what is in `buffer` and behind it; `columns` names those of a file without a header.
  init(
    _ buffer: RowBuffer, name: String, format: DelimitedFormat, columns: [String]?,
    skipBadRows: Bool
  ) throws {
    self.name = name
    self.skipBadRows = skipBadRows
    self.buffer = buffer
    position = buffer.startBehindMark
    scanner = RowScanner(format: format)
    header = try columns ?? readHeader()
    columnCount = header.count
  }

  /// Moves to the next row; false at the end of the file.
  ///
  /// - Throws: `DatasetError` with the row's line when it is malformed: another number of fields than
  ///   the header, an unclosed quote, text behind a closing quote, bytes that aren't UTF-8.
  public func next() throws -> Bool {
    while true {
      let problem: String
      switch try advance() {
      case .row: return true
      case .end: return false
      case .malformed(let what): problem = what
      }
      let error = DatasetError(
        problem, path: name, line: line,
        advice: "correct the row, or leave such rows out with --skip-bad-rows")
      guard skipBadRows else { throw error }
      skipBadRow(error.description)
    }
  }

  /// Leaves the current row out as malformed: throws, or counts it when `skipBadRows`.
  ///
  /// - Throws: `DatasetError` saying `what` at the current line.
  public func reject(_ what: String, advice: String) throws {
    let error = DatasetError(what, path: name, line: line, advice: advice)
    guard skipBadRows else { throw error }
    badRowCount += 1
    firstBadRow = firstBadRow ?? error.description
  }

  /// The bytes of a field of the current row, valid until the next row is read.
  @inline(__always)
  public func field(_ column: Int) -> UnsafeBufferPointer<UInt8> {
    precondition(column < scanner.fieldCount, "no column \(column)")
    let range = scanner.fields[column]
    return UnsafeBufferPointer(start: buffer.memory + range.start, count: range.end - range.start)
  }

  /// A field of the current row as a string.
  public func string(_ column: Int) -> String {
    String(decoding: field(column), as: UTF8.self)
  }

  // MARK: Rows

  private enum Step {
    case row
    case end
    case malformed(String)
  }

  /// Scans one row.
  private func advance() throws -> Step {
    while true {
      skipEmptyLines()
      line = nextLine
      if position == buffer.filled {
        if buffer.atEnd { return .end }
        try refill()
        continue
      }
      switch scanner.scan(
        buffer.memory, from: position, to: buffer.filled, atEnd: buffer.atEnd)
      {
      case .incomplete:
        if buffer.filled - position >= DelimitedReader.maximumRowBytes {
          return .malformed("a row is longer than 64 MiB (an unclosed quote?)")
        }
        try refill()
      case .malformed(let why): return .malformed(why)
      case .row: return finishRow()
      }
    }
  }

  private func finishRow() -> Step {
    let base = buffer.memory
    if scanner.fieldCount != columnCount && columnCount > 0 {
      return .malformed("\(scanner.fieldCount) fields instead of \(columnCount)")
    }
    if scanner.hasHighBytes
      && !isValidUTF8(UnsafeBufferPointer(start: base + position, count: scanner.end - position))
    {
      return .malformed("a field is not UTF-8")
    }
    if scanner.hasDoubledQuotes {
      for column in 0..<scanner.fieldCount where scanner.fields[column].hasDoubledQuotes {
        scanner.fields[column].end = undouble(base, scanner.fields[column])
      }
    }
    position = scanner.end
    nextLine += scanner.lineEnds
    return .row
  }

  /// Turns doubled quotes into single ones in place; returns the field's new end.
  private func undouble(_ base: UnsafeMutablePointer<UInt8>, _ field: FieldRange) -> Int {
    var to = field.start
    var from = field.start
    while from < field.end {
      base[to] = base[from]
      from += base[from] == 0x22 ? 2 : 1
      to += 1
    }
    return to
  }

  private func skipEmptyLines() {
    let bytes = buffer.memory
    let filled = buffer.filled
    while position < filled && (bytes[position] == 0x0A || bytes[position] == 0x0D) {
      if bytes[position] == 0x0D {
        // The other half of a CRLF may not have been read yet.
        if position + 1 == filled && !buffer.atEnd { return }
        if position + 1 < filled && bytes[position + 1] == 0x0A { position += 1 }
      }
      position += 1
      nextLine += 1
    }
  }

  /// Counts a malformed row and goes on behind its first line end: an unclosed quote then costs one
  /// line, not the rest of the file.
  private func skipBadRow(_ message: String) {
    badRowCount += 1
    firstBadRow = firstBadRow ?? message
    while position < buffer.filled && buffer.memory[position] != 0x0A { position += 1 }
    if position < buffer.filled { position += 1 }
    nextLine += 1
  }

  private func refill() throws {
    try buffer.refill(keepingFrom: position)
    position = 0
  }

  private func readHeader() throws -> [String] {
    switch try advance() {
    case .end:
      throw DatasetError(
        "the file is empty", path: name, advice: "give a file with a header line and rows")
    case .malformed(let problem):
      throw DatasetError(
        "\(problem) in the header", path: name, line: line, advice: "correct the header")
    case .row:
      return (0..<scanner.fieldCount).map { string($0) }
    }
  }
}
