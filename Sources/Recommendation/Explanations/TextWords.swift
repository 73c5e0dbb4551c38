import Tokenization

/// A text cut into words in such a way that the words' pieces, in a row, are the text's pieces.
///
/// Words are what white space separates; ideographs stand alone, as the tokenizer has it.
struct TextWords {
  /// The words as they stand in the text.
  let words: [String]
  /// The number of pieces of each.
  let pieces: [Int]

  init(_ text: String, tokenizer: Tokenizer) {
    let whole = tokenizer.encode(text, addSpecialTokens: false)
    for splitsIdeographs in [true, false] {
      let words = TextWords.split(text, ideographs: splitsIdeographs)
      let encoded = words.map { tokenizer.encode($0, addSpecialTokens: false) }
      if encoded.flatMap({ $0 }) == whole {
        (self.words, pieces) = (words, encoded.map(\.count))
        return
      }
    }
    // Added tokens may reach across spaces: then the text is one word.
    (words, pieces) = ([text], [whole.count])
  }

  /// The text without word `index`.
  func deleting(_ index: Int) -> String {
    words.indices.filter { $0 != index }.map { words[$0] }.joined(separator: " ")
  }

  private static func split(_ text: String, ideographs: Bool) -> [String] {
    var words: [String] = []
    var current = String.UnicodeScalarView()
    func flush() {
      if !current.isEmpty { words.append(String(current)) }
      current = String.UnicodeScalarView()
    }
    for scalar in text.unicodeScalars {
      if scalar.properties.isWhitespace {
        flush()
      } else if ideographs, scalar.properties.isIdeographic {
        flush()
        words.append(String(scalar))
      } else {
        current.append(scalar)
      }
    }
    flush()
    return words
  }
}
