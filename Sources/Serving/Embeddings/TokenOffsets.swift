import Tokenization

/// A text's tokens with the part of the text that each stands for.
///
/// The tokenizer works on normalised text; what a token came from is found again by normalising the
/// text character by character beside it.
struct TokenOffsets {
  /// A token of a text.
  struct Token: Equatable {
    let id: Int32
    /// The part of the text, or the token itself for one that was added.
    let text: String
    let isSpecial: Bool
    /// The part's scalars in the text; nil for a token that was added.
    let range: Range<Int>?
  }

  private let tokenizer: Tokenizer

  init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

  /// The tokens of a text.
  func tokens(_ text: String, addSpecialTokens: Bool) -> [Token] {
    let source = Array(text.unicodeScalars)
    var aligner = Aligner(tokenizer, source)
    let inner = tokenizer.encode(text, addSpecialTokens: false).map { id -> Token in
      let range = aligner.take(id)
      let part = String(String.UnicodeScalarView(source[range]))
      return Token(id: id, text: part, isSpecial: false, range: range)
    }
    guard addSpecialTokens else { return inner }
    func added(_ id: Int32) -> Token {
      Token(id: id, text: tokenizer.vocabulary.token(id), isSpecial: true, range: nil)
    }
    return [added(tokenizer.vocabulary.classID)] + inner + [added(tokenizer.vocabulary.separatorID)]
  }

  /// Walks through a text as its tokens come by.
  private struct Aligner {
    private let tokenizer: Tokenizer
    private let source: [Unicode.Scalar]
    /// The normalised scalars, and for each the place of the one it came from.
    private var scalars: [Unicode.Scalar] = []
    private var origins: [Int] = []
    private var position = 0

    init(_ tokenizer: Tokenizer, _ source: [Unicode.Scalar]) {
      self.tokenizer = tokenizer
      self.source = source
      for (place, scalar) in source.enumerated() {
        for part in tokenizer.normalize(String(scalar)).unicodeScalars {
          scalars.append(part)
          origins.append(place)
        }
      }
    }

    /// The scalars of the source that a token stands for.
    mutating func take(_ id: Int32) -> Range<Int> {
      while position < scalars.count, scalars[position].properties.isWhitespace { position += 1 }
      guard position < scalars.count else { return source.count..<source.count }
      let start = position
      if let length = addedLength(id) {
        let first = origins[start]
        while position < scalars.count, origins[position] < first + length { position += 1 }
        return first..<(first + length)
      }
      if id == tokenizer.vocabulary.unknownID {
        skipWord()
      } else {
        var piece = Array(tokenizer.vocabulary.token(id).unicodeScalars)
        if piece.starts(with: ["#", "#"]), piece.count > 2 { piece.removeFirst(2) }
        position = min(start + piece.count, scalars.count)
      }
      return origins[start]..<(origins[max(position - 1, start)] + 1)
    }

    /// The scalars of an added token that stands here in the source as it is, [MASK] for example.
    private func addedLength(_ id: Int32) -> Int? {
      guard let added = tokenizer.addedTokens.first(where: { $0.id == id }) else { return nil }
      let content = Array(added.content.unicodeScalars)
      return source[origins[position]...].starts(with: content) ? content.count : nil
    }

    /// A word that the vocabulary can't spell ends at white space or punctuation.
    private mutating func skipWord() {
      let isWord = !splits(scalars[position])
      position += 1
      guard isWord else { return }
      while position < scalars.count, !scalars[position].properties.isWhitespace,
        !splits(scalars[position])
      {
        position += 1
      }
    }

    private func splits(_ scalar: Unicode.Scalar) -> Bool {
      tokenizer.words("a" + String(scalar)).count > 1
    }
  }
}
