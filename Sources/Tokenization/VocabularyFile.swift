public import Foundation

extension Vocabulary {
  /// Reads a vocab.txt: one token a line, the line's number from 0 is the id.
  ///
  /// White space at a line's end (the CR of CRLF too) isn't part of the token; blank lines at the
  /// end of the file are ignored. Throws `TokenizationError` (repeated piece with its line, missing
  /// special token, bytes that aren't UTF-8) or the reason why the file can't be read.
  public init(contentsOf url: URL) throws {
    let bytes = try FileContents.load(url)
    try self.init(vocabularyFile: bytes, path: url.path)
  }

  init(vocabularyFile bytes: [UInt8], path: String) throws {
    let table = try bytes.withUnsafeBufferPointer { buffer in
      if let offset = UTF8Bytes.firstInvalid(buffer) {
        let line = buffer[..<offset].count { $0 == 0x0A } + 1
        throw TokenizationError.notUTF8(place: "\(path):\(line)")
      }
      return try Vocabulary.readLines(buffer, path: path)
    }
    try self.init(table: table, specialTokens: SpecialTokens(), place: path)
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0D).contains(byte)
  }

  private static func readLines(
    _ buffer: UnsafeBufferPointer<UInt8>, path: String
  ) throws -> TokenTable {
    var end = buffer.count
    while end > 0, isSpace(buffer[end - 1]) { end -= 1 }
    var start = 0
    if end >= 3, buffer[0] == 0xEF, buffer[1] == 0xBB, buffer[2] == 0xBF { start = 3 }
    var table = TokenTable(expecting: end / 6, bytes: end)
    var line = 1
    while start < end {
      var stop = start
      while stop < end, buffer[stop] != 0x0A { stop += 1 }
      var last = stop
      while last > start, isSpace(buffer[last - 1]) { last -= 1 }
      let token = UnsafeBufferPointer(rebasing: buffer[start..<last])
      let (inserted, first) = table.insert(token)
      guard inserted else {
        throw TokenizationError.repeatedPiece(
          piece: String(decoding: token, as: UTF8.self), place: "\(path):\(line)",
          first: "line \(first + 1)")
      }
      start = stop + 1
      line += 1
    }
    return table
  }

  /// Writes a vocab.txt, atomically: the old file or the whole new one is on the disk.
  ///
  /// Throws when the file can't be written, or `TokenizationError.malformed` for a token that a line
  /// can't hold (one with a line break or with white space at its end).
  public func write(to url: URL) throws {
    var bytes: [UInt8] = []
    for index in 0..<count {
      let fits = table.withBytes(index) { token in
        bytes.append(contentsOf: token)
        return !token.contains(0x0A) && !(token.last.map(Vocabulary.isSpace) ?? false)
      }
      guard fits else {
        throw TokenizationError.malformed(
          place: url.path, what: "token \(index) can't be a line of vocab.txt")
      }
      bytes.append(0x0A)
    }
    try FileContents.save(bytes, to: url)
  }
}
