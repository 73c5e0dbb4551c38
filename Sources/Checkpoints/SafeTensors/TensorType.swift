/// The element types of safetensors files, by their names in the header.
public enum TensorType: String, Sendable, CaseIterable {
  /// One byte, 0 or 1.
  case bool = "BOOL"
  /// Unsigned 8-bit integer.
  case uint8 = "U8"
  /// Signed 8-bit integer.
  case int8 = "I8"
  /// 8-bit float, 5 bits of exponent.
  case float8e5m2 = "F8_E5M2"
  /// 8-bit float, 4 bits of exponent.
  case float8e4m3 = "F8_E4M3"
  /// Signed 16-bit integer.
  case int16 = "I16"
  /// Unsigned 16-bit integer.
  case uint16 = "U16"
  /// IEEE half precision.
  case float16 = "F16"
  /// The upper 16 bits of a Float.
  case bfloat16 = "BF16"
  /// Signed 32-bit integer.
  case int32 = "I32"
  /// Unsigned 32-bit integer.
  case uint32 = "U32"
  /// IEEE single precision.
  case float32 = "F32"
  /// Two Floats: real and imaginary part.
  case complex64 = "C64"
  /// IEEE double precision.
  case float64 = "F64"
  /// Signed 64-bit integer.
  case int64 = "I64"
  /// Unsigned 64-bit integer.
  case uint64 = "U64"

  /// Bytes an element.
  public var byteCount: Int {
    switch self {
    case .bool, .uint8, .int8, .float8e5m2, .float8e4m3: 1
    case .int16, .uint16, .float16, .bfloat16: 2
    case .int32, .uint32, .float32: 4
    case .complex64, .float64, .int64, .uint64: 8
    }
  }

  /// Whether the values can be read as Float.
  public var isReal: Bool {
    switch self {
    case .complex64, .float8e5m2, .float8e4m3: false
    default: true
    }
  }

  /// Converts little-endian elements to Float, rounding to nearest; the type must be ``isReal``.
  func convert(_ bytes: UnsafeRawBufferPointer, to floats: UnsafeMutableBufferPointer<Float>) {
    switch self {
    case .bool, .uint8: fill(floats, bytes, UInt8.self) { Float($0) }
    case .int8: fill(floats, bytes, Int8.self) { Float($0) }
    case .int16: fill(floats, bytes, Int16.self) { Float(Int16(littleEndian: $0)) }
    case .uint16: fill(floats, bytes, UInt16.self) { Float(UInt16(littleEndian: $0)) }
    case .float16: fill(floats, bytes, UInt16.self) { Half.float(UInt16(littleEndian: $0)) }
    case .bfloat16:
      fill(floats, bytes, UInt16.self) {
        Float(bitPattern: UInt32(UInt16(littleEndian: $0)) << 16)
      }
    case .int32: fill(floats, bytes, Int32.self) { Float(Int32(littleEndian: $0)) }
    case .uint32: fill(floats, bytes, UInt32.self) { Float(UInt32(littleEndian: $0)) }
    case .float32: fill(floats, bytes, UInt32.self) { Float(bitPattern: UInt32(littleEndian: $0)) }
    case .float64:
      fill(floats, bytes, UInt64.self) { Float(Double(bitPattern: UInt64(littleEndian: $0))) }
    case .int64: fill(floats, bytes, Int64.self) { Float(Int64(littleEndian: $0)) }
    case .uint64: fill(floats, bytes, UInt64.self) { Float(UInt64(littleEndian: $0)) }
    case .complex64, .float8e5m2, .float8e4m3: floats.update(repeating: .nan)
    }
  }

  @inline(__always)
  private func fill<Raw: FixedWidthInteger>(
    _ floats: UnsafeMutableBufferPointer<Float>, _ bytes: UnsafeRawBufferPointer, _: Raw.Type,
    _ value: (Raw) -> Float
  ) {
    for i in floats.indices {
      floats[i] = value(
        bytes.loadUnaligned(fromByteOffset: i * MemoryLayout<Raw>.size, as: Raw.self))
    }
  }
}

/// Conversions between Float and the 16-bit float types, the same on every platform.
package enum Half {
  /// The value of an IEEE half.
  package static func float(_ half: UInt16) -> Float {
    let sign = UInt32(half & 0x8000) << 16
    let magnitude = UInt32(half & 0x7FFF)
    if magnitude >= 0x7C00 {
      return Float(bitPattern: sign | 0x7F80_0000 | (magnitude & 0x3FF) << 13)
    }
    // Moved to Float's exponent field, a half is 2^-112 of its value, subnormal halves included.
    return Float(bitPattern: sign | magnitude << 13) * 0x1p112
  }

  /// The nearest IEEE half, ties to even; values above 65504 become infinite.
  package static func bits(_ value: Float) -> UInt16 {
    let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
    let magnitude = value.magnitude
    if magnitude.isNaN { return sign | 0x7E00 }
    if magnitude >= 65520 { return sign | 0x7C00 }
    if magnitude < 0x1p-14 {
      // Subnormal halves are multiples of 2^-24.
      return sign | UInt16((magnitude * 0x1p24).rounded(.toNearestOrEven))
    }
    let bits = magnitude.bitPattern &- (112 << 23)
    return sign | UInt16((bits &+ 0xFFF &+ (bits >> 13 & 1)) >> 13)
  }

  /// The nearest bfloat16, ties to even.
  package static func brainBits(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
    return UInt16((bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
  }
}
