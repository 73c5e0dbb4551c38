import Tokenization

/// Writes JSON strings.
enum JSONText {
  /// A string literal with everything escaped that RFC 8259 asks for.
  static func quoted(_ text: String) -> String {
    var bytes: [UInt8] = []
    JSONValue.appendQuoted(text.utf8, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}
