/// Reading and writing Unicode scalars as UTF-8 bytes.
enum UTF8Bytes {
  static let replacement: UInt32 = 0xFFFD

  /// Decodes the scalar at `index` and moves `index` past it.
  ///
  /// A sequence that isn't UTF-8 gives U+FFFD once for each maximal part of it, as Unicode's
  /// "substitution of maximal subparts" asks (and as Rust and Python do).
  @inline(__always)
  static func decode(_ bytes: UnsafePointer<UInt8>, _ index: inout Int, _ end: Int) -> UInt32 {
    let first = bytes[index]
    index += 1
    if first < 0x80 { return UInt32(first) }
    return decodeMultibyte(first, bytes, &index, end)
  }

  private static func decodeMultibyte(
    _ first: UInt8, _ bytes: UnsafePointer<UInt8>, _ index: inout Int, _ end: Int
  ) -> UInt32 {
    // The second byte's range shuts out overlong forms, surrogates and values above U+10FFFF.
    let (following, low, high): (Int, UInt8, UInt8)
    switch first {
    case 0xC2...0xDF: (following, low, high) = (1, 0x80, 0xBF)
    case 0xE0: (following, low, high) = (2, 0xA0, 0xBF)
    case 0xED: (following, low, high) = (2, 0x80, 0x9F)
    case 0xE1...0xEF: (following, low, high) = (2, 0x80, 0xBF)
    case 0xF0: (following, low, high) = (3, 0x90, 0xBF)
    case 0xF4: (following, low, high) = (3, 0x80, 0x8F)
    case 0xF1...0xF3: (following, low, high) = (3, 0x80, 0xBF)
    default: return replacement
    }
    guard index < end, bytes[index] >= low, bytes[index] <= high else { return replacement }
    var scalar = UInt32(first) & (0x3F >> UInt32(following))
    scalar = scalar << 6 | UInt32(bytes[index] & 0x3F)
    index += 1
    for _ in 1..<max(following, 1) {
      guard index < end, bytes[index] & 0xC0 == 0x80 else { return replacement }
      scalar = scalar << 6 | UInt32(bytes[index] & 0x3F)
      index += 1
    }
    return scalar
  }

  /// Appends a scalar's bytes.
  @inline(__always)
  static func append(_ scalar: UInt32, to bytes: inout GrowableBuffer<UInt8>) {
    bytes.reserve(4)
    let out = bytes.base + bytes.count
    if scalar < 0x80 {
      out[0] = UInt8(truncatingIfNeeded: scalar)
      bytes.count += 1
    } else if scalar < 0x800 {
      out[0] = UInt8(truncatingIfNeeded: 0xC0 | scalar >> 6)
      out[1] = UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F)
      bytes.count += 2
    } else if scalar < 0x10000 {
      out[0] = UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12)
      out[1] = UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F)
      out[2] = UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F)
      bytes.count += 3
    } else {
      out[0] = UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18)
      out[1] = UInt8(truncatingIfNeeded: 0x80 | scalar >> 12 & 0x3F)
      out[2] = UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F)
      out[3] = UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F)
      bytes.count += 4
    }
  }

  /// The offset of the first byte that isn't part of well-formed UTF-8; nil when all are.
  static func firstInvalid(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    guard let base = bytes.baseAddress else { return nil }
    let raw = UnsafeRawPointer(base)
    var index = 0
    while index < bytes.count {
      if index + 8 <= bytes.count,
        raw.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
      {
        index += 8
        continue
      }
      let start = index
      // U+FFFD itself is well-formed: EF BF BD.
      if decode(base, &index, bytes.count) == replacement,
        index - start != 3 || base[start] != 0xEF || base[start + 1] != 0xBF
          || base[start + 2] != 0xBD
      {
        return start
      }
    }
    return nil
  }
}
