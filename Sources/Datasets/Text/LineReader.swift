/// Reads a file line by line; a line is a byte range of one reused buffer.
///
/// Lines end at \n only; a \r before it, and a byte order mark at the front, are left out. A last line
/// without \n counts.
final class LineReader {
  private let buffer: RowBuffer
  let name: String
  private let skipBadLines: Bool
  private var position: Int
  private(set) var line = 0
  private(set) var badLineCount = 0
  private(set) var firstBadLine: String?
  /// Whether lines needn't be UTF-8.
  var acceptsAnyBytes = false
  private static let maximumLineBytes = 1 << 28

  convenience init(path: String, skipBadLines: Bool, bufferSize: Int = 1 << 20) throws {
    let source = try ByteSource(path: path)
    self.init(
      try RowBuffer(source, capacity: bufferSize), name: source.name, skipBadLines: skipBadLines)
  }

  /// Reads what is in `buffer` and behind it.
  init(_ buffer: RowBuffer, name: String, skipBadLines: Bool) {
    self.buffer = buffer
    self.name = name
    self.skipBadLines = skipBadLines
    position = buffer.startBehindMark
  }

  /// The next line, valid until the one after it is read; nil at the end.
  ///
  /// - Throws: `DatasetError` for a line that isn't UTF-8 (unless such lines are skipped).
  func next() throws -> UnsafeBufferPointer<UInt8>? {
    while let bytes = try nextBytes() {
      if acceptsAnyBytes || isValidUTF8(bytes) { return bytes }
      try reject("the line is not UTF-8", advice: "convert the file to UTF-8")
    }
    return nil
  }

  /// Leaves the current line, or the one with number `line`, out as malformed: throws, or counts it.
  func reject(_ what: String, line: Int? = nil, advice: String) throws {
    let error = DatasetError(
      what, path: name, line: line ?? self.line,
      advice: advice + ", or leave such rows out with --skip-bad-rows")
    guard skipBadLines else { throw error }
    badLineCount += 1
    firstBadLine = firstBadLine ?? error.description
  }

  private func nextBytes() throws -> UnsafeBufferPointer<UInt8>? {
    var searched = 0
    while true {
      let start = buffer.memory + position
      let unread = buffer.filled - position
      if let length = firstLineEnd(start, from: searched, to: unread) {
        line += 1
        position += length + 1
        return withoutReturn(start, length)
      }
      if buffer.atEnd {
        guard unread > 0 else { return nil }
        line += 1
        position = buffer.filled
        return withoutReturn(start, unread)
      }
      if unread > LineReader.maximumLineBytes {
        throw DatasetError(
          "a line is longer than 256 MiB", path: name, line: line + 1,
          advice: "give a text file with one text a line")
      }
      searched = unread
      try buffer.refill(keepingFrom: position)
      position = 0
    }
  }

  private func firstLineEnd(
    _ start: UnsafeMutablePointer<UInt8>, from: Int, to: Int
  ) -> Int? {
    var place = from
    while place < to {
      if start[place] == 0x0A { return place }
      place += 1
    }
    return nil
  }

  private func withoutReturn(
    _ start: UnsafeMutablePointer<UInt8>, _ length: Int
  ) -> UnsafeBufferPointer<UInt8> {
    let hasReturn = length > 0 && start[length - 1] == 0x0D
    return UnsafeBufferPointer(start: start, count: hasReturn ? length - 1 : length)
  }
}
