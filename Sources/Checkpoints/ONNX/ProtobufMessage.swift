/// The bytes of a protocol buffers message, field by field: the few kinds that ONNX's messages need.
///
/// Format: protobuf.dev/programming-guides/encoding. A field is a tag, number * 8 + kind, then its value.
struct ProtobufMessage {
  private(set) var bytes: [UInt8] = []

  private enum Kind: UInt64 {
    case varint = 0
    case lengthDelimited = 2
    case fourBytes = 5
  }

  /// Appends a whole number; negative ones take ten bytes.
  mutating func appendInteger(_ field: UInt64, _ value: Int64) {
    appendTag(field, .varint)
    appendVarint(UInt64(bitPattern: value))
  }

  /// Appends a Float.
  mutating func appendFloat(_ field: UInt64, _ value: Float) {
    appendTag(field, .fourBytes)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Appends a text.
  mutating func appendText(_ field: UInt64, _ text: String) {
    appendPrefix(field, length: text.utf8.count)
    bytes.append(contentsOf: text.utf8)
  }

  /// Appends a message inside this one.
  mutating func append(_ field: UInt64, _ message: ProtobufMessage) {
    appendPrefix(field, length: message.bytes.count)
    bytes.append(contentsOf: message.bytes)
  }

  /// Appends what stands before `length` bytes of a field; the bytes follow elsewhere.
  mutating func appendPrefix(_ field: UInt64, length: Int) {
    appendTag(field, .lengthDelimited)
    appendVarint(UInt64(length))
  }

  private mutating func appendTag(_ field: UInt64, _ kind: Kind) {
    appendVarint(field << 3 | kind.rawValue)
  }

  /// Seven bits a byte, lowest first; the top bit says that more follow.
  private mutating func appendVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
