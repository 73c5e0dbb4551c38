/// Whether the bytes are well-formed UTF-8 (Unicode 15, table 3-7): no overlong form, surrogate or
/// number above U+10FFFF.
package func isValidUTF8(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
  guard let base = bytes.baseAddress else { return true }
  let count = bytes.count
  var i = 0
  while i < count {
    let lead = base[i]
    if lead < 0x80 {
      i += 1
      continue
    }
    guard let shape = SequenceShape(lead: lead), i + shape.length <= count,
      shape.second.contains(base[i + 1])
    else { return false }
    for k in 2..<max(shape.length, 2) where base[i + k] & 0xC0 != 0x80 { return false }
    i += shape.length
  }
  return true
}

/// What may follow a lead byte.
private struct SequenceShape {
  let length: Int
  let second: ClosedRange<UInt8>

  init?(lead: UInt8) {
    switch lead {
    case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: (length, second) = (3, 0x80...0xBF)
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    default: return nil
    }
  }
}
