/// Text as it may stand between tags and in quoted attributes of HTML and SVG.
///
/// `&`, `<`, `>`, quotes and the apostrophe become entities; control characters, which HTML forbids, and
/// the characters that turn the direction of what follows become U+FFFD. Texts of items come from outside
/// and must not be able to end a tag, nor to write over their neighbours.
public func escapedMarkup(_ text: String) -> String {
  var result = String.UnicodeScalarView()
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result.append(contentsOf: "&amp;".unicodeScalars)
    case "<": result.append(contentsOf: "&lt;".unicodeScalars)
    case ">": result.append(contentsOf: "&gt;".unicodeScalars)
    case "\"": result.append(contentsOf: "&quot;".unicodeScalars)
    case "'": result.append(contentsOf: "&#39;".unicodeScalars)
    case "\t", "\n", "\r": result.append(scalar)
    case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{202A}"..."\u{202E}",
      "\u{2066}"..."\u{2069}":
      result.append("\u{FFFD}")
    default: result.append(scalar)
    }
  }
  return String(result)
}

/// The first `limit` scalars of a text, with an ellipsis where more followed.
public func shortened(_ text: String, to limit: Int) -> String {
  let scalars = text.unicodeScalars
  guard let end = scalars.index(scalars.startIndex, offsetBy: limit, limitedBy: scalars.endIndex),
    end < scalars.endIndex
  else { return text }
  return String(scalars[..<end]) + "\u{2026}"
}

/// An attribute `name="value"`, escaped, with a blank before it.
func attribute(_ name: String, _ value: String) -> String {
  " \(name)=\"\(escapedMarkup(value))\""
}
