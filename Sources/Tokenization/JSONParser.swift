/// Where and why a text isn't JSON.
public struct JSONError: Error, Equatable, CustomStringConvertible {
  /// What is wrong.
  public let message: String
  /// The line, from 1.
  public let line: Int
  /// The offset in bytes from the start of the text.
  public let offset: Int

  /// Creates an error.
  public init(message: String, line: Int, offset: Int) {
    self.message = message
    self.line = line
    self.offset = offset
  }

  /// What is wrong and where.
  public var description: String { "not valid JSON: \(message) (line \(line), byte \(offset))" }
}

extension JSONValue {
  /// Parses a JSON text in UTF-8 (RFC 8259; a byte order mark before it is skipped).
  ///
  /// Throws `JSONError` for malformed text, for nesting deeper than 128 and, when asked, for a key
  /// that stands twice in one object.
  public static func parse(
    _ bytes: UnsafeRawBufferPointer, rejectDuplicateKeys: Bool = false
  ) throws -> JSONValue {
    let bytes = bytes.assumingMemoryBound(to: UInt8.self)
    var parser = JSONParser(bytes: bytes, rejectDuplicateKeys: rejectDuplicateKeys)
    return try parser.document()
  }

  /// Parses a JSON text in UTF-8; see the other `parse`.
  public static func parse(
    _ bytes: [UInt8], rejectDuplicateKeys: Bool = false
  ) throws -> JSONValue {
    try bytes.withUnsafeBytes { try parse($0, rejectDuplicateKeys: rejectDuplicateKeys) }
  }
}

private struct JSONParser {
  let bytes: UnsafeBufferPointer<UInt8>
  let rejectDuplicateKeys: Bool
  var position = 0
  var depth = 0

  static let depthLimit = 128

  init(bytes: UnsafeBufferPointer<UInt8>, rejectDuplicateKeys: Bool) {
    self.bytes = bytes
    self.rejectDuplicateKeys = rejectDuplicateKeys
  }

  mutating func document() throws -> JSONValue {
    if let offset = UTF8Bytes.firstInvalid(bytes) { throw error("bytes aren't UTF-8", at: offset) }
    if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { position = 3 }
    let value = try value()
    skipSpace()
    if position < bytes.count { throw error("text after the end of the value") }
    return value
  }

  private func error(_ message: String, at offset: Int? = nil) -> JSONError {
    let offset = min(offset ?? position, bytes.count)
    return JSONError(
      message: message, line: bytes[..<offset].count { $0 == 0x0A } + 1, offset: offset)
  }

  /// The byte at the current position; 0, which no JSON text holds outside strings, at the end.
  private var current: UInt8 { position < bytes.count ? bytes[position] : 0 }

  private mutating func skipSpace() {
    while position < bytes.count {
      let byte = bytes[position]
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
      position += 1
    }
  }

  private mutating func value() throws -> JSONValue {
    skipSpace()
    switch current {
    case UInt8(ascii: "{"): return try nested { try $0.object() }
    case UInt8(ascii: "["): return try nested { try $0.array() }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default:
      throw error(position >= bytes.count ? "text ends where a value should be" : "not a value")
    }
  }

  private mutating func nested(
    _ body: (inout JSONParser) throws -> JSONValue
  ) throws -> JSONValue {
    depth += 1
    if depth > JSONParser.depthLimit {
      throw error("nested deeper than \(JSONParser.depthLimit)")
    }
    position += 1
    let value = try body(&self)
    depth -= 1
    return value
  }

  private mutating func word(_ text: StaticString, _ value: JSONValue) throws -> JSONValue {
    let matches = text.withUTF8Buffer { bytes[position...].starts(with: $0) }
    guard matches else { throw error("not a value") }
    position += text.utf8CodeUnitCount
    return value
  }

  private mutating func array() throws -> JSONValue {
    var elements: [JSONValue] = []
    skipSpace()
    if current == UInt8(ascii: "]") {
      position += 1
      return .array(elements)
    }
    while true {
      elements.append(try value())
      skipSpace()
      let byte = current
      guard byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]") else {
        throw error("',' or ']' expected in a list")
      }
      position += 1
      if byte == UInt8(ascii: "]") { return .array(elements) }
    }
  }

  private mutating func object() throws -> JSONValue {
    var members: [JSONMember] = []
    var keys = TokenTable()
    skipSpace()
    if current == UInt8(ascii: "}") {
      position += 1
      return .object(members)
    }
    while true {
      skipSpace()
      guard current == UInt8(ascii: "\"") else { throw error("'\"' of a key expected") }
      let start = position
      let key = try string()
      if rejectDuplicateKeys, !keys.insert(key).inserted {
        throw error("key \"\(key)\" stands twice in one object", at: start)
      }
      skipSpace()
      guard current == UInt8(ascii: ":") else { throw error("':' expected after a key") }
      position += 1
      members.append(JSONMember(key, try value()))
      skipSpace()
      let byte = current
      guard byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") else {
        throw error("',' or '}' expected in an object")
      }
      position += 1
      if byte == UInt8(ascii: "}") { return .object(members) }
    }
  }

  private mutating func number() throws -> JSONValue {
    let start = position
    if current == UInt8(ascii: "-") { position += 1 }
    let firstDigit = current
    let digits = skipDigits()
    guard digits > 0, digits == 1 || firstDigit != UInt8(ascii: "0") else {
      throw error("malformed number", at: start)
    }
    var isWhole = true
    if current == UInt8(ascii: ".") {
      isWhole = false
      position += 1
      guard skipDigits() > 0 else { throw error("malformed number", at: start) }
    }
    if current | 0x20 == UInt8(ascii: "e") {
      isWhole = false
      position += 1
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
      guard skipDigits() > 0 else { throw error("malformed number", at: start) }
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isWhole, let value = Int64(text) { return .integer(value) }
    guard let value = Double(text), value.isFinite else {
      throw error("number out of range", at: start)
    }
    return .number(value)
  }

  private mutating func skipDigits() -> Int {
    let start = position
    while (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(current) { position += 1 }
    return position - start
  }

  private mutating func string() throws -> String {
    let start = position
    position += 1
    let first = position
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        position += 1
        return String(decoding: bytes[first..<(position - 1)], as: UTF8.self)
      }
      if byte < 0x20 { throw error("control character in a string") }
      if byte == UInt8(ascii: "\\") { return try escapedString(from: first) }
      position += 1
    }
    throw error("string without an end", at: start)
  }

  /// The slow way, for strings with escapes; `first` is the string's first byte.
  private mutating func escapedString(from first: Int) throws -> String {
    var text = Array(bytes[first..<position])
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): text.append(contentsOf: String(try escape()).utf8)
      case 0..<0x20: throw error("control character in a string", at: position - 1)
      default: text.append(byte)
      }
    }
    throw error("string without an end", at: first - 1)
  }

  /// What follows a backslash.
  private mutating func escape() throws -> Unicode.Scalar {
    let kind = current
    position += 1
    switch kind {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(kind)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): break
    default: throw error("unknown escape in a string", at: position - 2)
    }
    let start = position - 2
    let high = try fourDigits()
    if let scalar = Unicode.Scalar(high) { return scalar }
    if high < 0xDC00, current == UInt8(ascii: "\\") {
      position += 1
      if current == UInt8(ascii: "u") {
        position += 1
        let low = try fourDigits()
        if (0xDC00...0xDFFF).contains(low),
          let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
        {
          return scalar
        }
      }
    }
    throw error("half of a surrogate pair", at: start)
  }

  private mutating func fourDigits() throws -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = Character(Unicode.Scalar(current)).hexDigitValue else {
        throw error("four hexadecimal digits expected after \\u")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }
}
