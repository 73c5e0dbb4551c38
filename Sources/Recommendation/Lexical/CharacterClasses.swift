/// The classes of characters that Python's `str` methods and regular expressions know.
enum CharacterClasses {
  /// Python's `\w`: letters, anything numeric and the underscore, but no combining marks.
  static func isWord(_ scalar: UInt32) -> Bool {
    if scalar < 0x80 {
      return switch scalar {
      case 0x30...0x39, 0x41...0x5a, 0x5f, 0x61...0x7a: true
      default: false
      }
    }
    if isCaselessLetter(scalar) { return true }
    guard let properties = Unicode.Scalar(scalar)?.properties else { return false }
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      return true
    default:
      return properties.numericType != nil
    }
  }

  /// Python's `str.isspace` for one character.
  static func isSpace(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x09...0x0d, 0x1c...0x20, 0x85, 0xa0, 0x1680, 0x2000...0x200a, 0x2028, 0x2029, 0x202f,
      0x205f, 0x3000:
      true
    default: false
    }
  }

  /// Ideographs and Hangul syllables: letters without case, known without a table look-up.
  static func isCaselessLetter(_ scalar: UInt32) -> Bool {
    (0x4e00...0x9fff).contains(scalar) || (0xac00...0xd7a3).contains(scalar)
  }
}

/// Python's `str.lower`.
struct Lowercase: Sendable {
  private static let capitalSigma: UInt32 = 0x3a3

  /// Appends the scalars of a text in lower case to `output`, which must be empty.
  func append(_ text: String, to output: inout [UInt32]) {
    var sigmas = false
    for scalar in text.unicodeScalars {
      let value = scalar.value
      if value < 0x80 {
        output.append((0x41...0x5a).contains(value) ? value + 32 : value)
      } else if CharacterClasses.isCaselessLetter(value) {
        output.append(value)
      } else {
        for lower in scalar.properties.lowercaseMapping.unicodeScalars {
          output.append(lower.value)
        }
        if value == Self.capitalSigma { sigmas = true }
      }
    }
    if sigmas { appendWithFinalSigmas(text, to: &output) }
  }

  /// Replaces the text just appended, with a capital sigma that ends a word as ς.
  private func appendWithFinalSigmas(_ text: String, to output: inout [UInt32]) {
    let source = Array(text.unicodeScalars)
    output.removeAll(keepingCapacity: true)
    for n in source.indices {
      guard source[n].value == Self.capitalSigma else {
        for lower in source[n].properties.lowercaseMapping.unicodeScalars {
          output.append(lower.value)
        }
        continue
      }
      let before = source[..<n].last { !$0.properties.isCaseIgnorable }
      let after = source[(n + 1)...].first { !$0.properties.isCaseIgnorable }
      let isFinal =
        before?.properties.isCased == true && after?.properties.isCased != true
      output.append(isFinal ? 0x3c2 : 0x3c3)
    }
  }
}
