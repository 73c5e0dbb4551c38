/// Reads a decimal number that fills `bytes` (blanks around it are allowed); nil when it isn't one.
///
/// Correctly rounded: up to 15 digits and powers of ten up to 22 are exact in Double (Clinger 1990),
/// the rest goes to the standard library. `inf` and `nan` are numbers here, as in Python's `float`.
package func parseDouble(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
  guard var base = bytes.baseAddress, !bytes.isEmpty else { return nil }
  var end = base + bytes.count
  while base < end && isBlank(base[0]) { base += 1 }
  while base < end && isBlank(end[-1]) { end -= 1 }
  var place = base
  let negative = place < end && place[0] == UInt8(ascii: "-")
  if place < end && (place[0] == UInt8(ascii: "-") || place[0] == UInt8(ascii: "+")) { place += 1 }
  var mantissa: UInt64 = 0
  var digits = 0
  var fraction = 0
  var pointSeen = false
  while place < end {
    let byte = place[0]
    if byte >= 0x30 && byte <= 0x39 {
      if digits >= 15 { return parseSlowly(base, end) }
      mantissa = mantissa &* 10 &+ UInt64(byte &- 0x30)
      digits += 1
      if pointSeen { fraction += 1 }
    } else if byte == UInt8(ascii: ".") && !pointSeen {
      pointSeen = true
    } else {
      return parseSlowly(base, end)
    }
    place += 1
  }
  guard digits > 0 else { return nil }
  var value = Double(mantissa)
  switch fraction {
  case 0: break
  case 1: value /= 10
  default: value /= powersOfTen[fraction]
  }
  return negative ? -value : value
}

private let powersOfTen: [Double] = [
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
]

private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) }

/// Exponents, long mantissas, `inf`, `nan`; hexadecimal notation, which `Double` would take, is not a
/// number of a data file.
private func parseSlowly(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Double? {
  let bytes = UnsafeBufferPointer(start: start, count: end - start)
  guard bytes.count <= 400, !bytes.contains(where: { $0 | 0x20 == 0x78 || $0 == 0x28 }) else {
    return nil
  }
  return Double(String(decoding: bytes, as: UTF8.self))
}
