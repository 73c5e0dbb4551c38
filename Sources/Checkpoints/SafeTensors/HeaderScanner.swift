/// Scans the JSON of a safetensors header: objects, strings, lists of whole numbers, nothing else.
///
/// The header is as untrusted as the rest of the file and may be 100 MB, so it isn't built as a tree:
/// each entry is read straight into what it means, and anything unexpected is an error with its offset.
struct HeaderScanner {
  struct Problem: Error {
    let what: String
    let offset: Int
  }

  private let bytes: UnsafeBufferPointer<UInt8>
  private(set) var offset = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  func problem(_ what: String) -> Problem { Problem(what: what, offset: offset) }

  private mutating func skipSpace() {
    while offset < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[offset]) { offset += 1 }
  }

  /// Moves past `byte` if it comes next.
  private mutating func take(_ byte: UInt8) -> Bool {
    skipSpace()
    guard offset < bytes.count, bytes[offset] == byte else { return false }
    offset += 1
    return true
  }

  private mutating func expect(_ byte: UInt8) throws {
    guard take(byte) else { throw problem("expected \"\(Character(UnicodeScalar(byte)))\"") }
  }

  /// Reads an object; `body` reads the value of each key.
  mutating func object(_ body: (String, inout HeaderScanner) throws -> Void) throws {
    try expect(UInt8(ascii: "{"))
    if take(UInt8(ascii: "}")) { return }
    repeat {
      let key = try string()
      try expect(UInt8(ascii: ":"))
      try body(key, &self)
    } while take(UInt8(ascii: ","))
    try expect(UInt8(ascii: "}"))
  }

  /// Reads a list of numbers in 0...Int.max.
  mutating func wholeNumbers() throws -> [Int] {
    try expect(UInt8(ascii: "["))
    var numbers: [Int] = []
    if take(UInt8(ascii: "]")) { return numbers }
    repeat {
      guard numbers.count < 64 else { throw problem("the list is too long") }
      numbers.append(try wholeNumber())
    } while take(UInt8(ascii: ","))
    try expect(UInt8(ascii: "]"))
    return numbers
  }

  private mutating func wholeNumber() throws -> Int {
    skipSpace()
    let start = offset
    var value = 0
    while offset < bytes.count, bytes[offset] >= 0x30, bytes[offset] <= 0x39 {
      let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = scaled.addingReportingOverflow(Int(bytes[offset] - 0x30))
      guard !overflow, !carry else { throw problem("the number is too large") }
      value = sum
      offset += 1
    }
    guard offset > start, bytes[start] != 0x30 || offset == start + 1 else {
      throw problem("expected a whole number")
    }
    return value
  }

  /// Reads a string with all of JSON's escapes.
  mutating func string() throws -> String {
    try expect(UInt8(ascii: "\""))
    var text: [UInt8] = []
    while offset < bytes.count {
      let byte = bytes[offset]
      offset += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let result = String(validating: text, as: UTF8.self) else {
          throw problem("the string isn't UTF-8")
        }
        return result
      case UInt8(ascii: "\\"): try appendEscape(to: &text)
      case 0..<0x20: throw problem("a control character stands in a string")
      default: text.append(byte)
      }
    }
    throw problem("the string doesn't end")
  }

  private mutating func appendEscape(to text: inout [UInt8]) throws {
    guard offset < bytes.count else { throw problem("the string doesn't end") }
    let byte = bytes[offset]
    offset += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var code = try fourHexDigits()
      if code >> 10 == 0x36, offset + 1 < bytes.count, bytes[offset] == UInt8(ascii: "\\"),
        bytes[offset + 1] == UInt8(ascii: "u")
      {
        offset += 2
        let low = try fourHexDigits()
        guard low >> 10 == 0x37 else { throw problem("a surrogate stands alone") }
        code = 0x10000 + (code & 0x3FF) << 10 + low & 0x3FF
      }
      guard let scalar = UnicodeScalar(code) else { throw problem("a surrogate stands alone") }
      text.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
    default: throw problem("unknown escape")
    }
  }

  private mutating func fourHexDigits() throws -> UInt32 {
    guard offset + 4 <= bytes.count else { throw problem("the string doesn't end") }
    var value: UInt32 = 0
    for byte in bytes[offset..<offset + 4] {
      guard let digit = Character(UnicodeScalar(byte)).hexDigitValue, byte < 0x80 else {
        throw problem("expected four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
    }
    offset += 4
    return value
  }

  /// Fails unless only spaces are left.
  mutating func expectEnd() throws {
    skipSpace()
    guard offset == bytes.count else { throw problem("text stands after the header") }
  }
}
