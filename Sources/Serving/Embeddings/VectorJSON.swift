import Foundation
import Tokenization

extension JSONValue {
  /// A Float as its own shortest decimal, not as that of the Double with its value; null for NaN and infinity.
  static func float(_ value: Float) -> JSONValue {
    value.isFinite ? .number(Double(value.description) ?? Double(value)) : .null
  }
}

/// Vectors as JSON text, without a value object for each number.
enum VectorJSON {
  /// `[0.1,-0.2]`.
  static func append(_ vector: some Collection<Float>, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "["))
    var isFirst = true
    for value in vector {
      if !isFirst { bytes.append(UInt8(ascii: ",")) }
      isFirst = false
      if value.isFinite {
        bytes.append(contentsOf: value.description.utf8)
      } else {
        bytes.append(contentsOf: "null".utf8)
      }
    }
    bytes.append(UInt8(ascii: "]"))
  }

  /// `[[..],[..]]`.
  static func matrix(_ vectors: [some Collection<Float>]) -> [UInt8] {
    var bytes: [UInt8] = [UInt8(ascii: "[")]
    for (place, vector) in vectors.enumerated() {
      if place > 0 { bytes.append(UInt8(ascii: ",")) }
      append(vector, to: &bytes)
    }
    bytes.append(UInt8(ascii: "]"))
    return bytes
  }

  /// The values as little-endian 32-bit numbers in base64, as OpenAI sends them.
  static func base64(_ vector: [Float]) -> String {
    var data = Data(capacity: vector.count * 4)
    for value in vector {
      withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
    }
    return data.base64EncodedString()
  }
}
