/// How a text is cut into terms.
public enum TextAnalysis: Sendable, Equatable, Codable {
  /// Words of at least two letters, digits or underscores, as scikit-learn's `\b\w\w+\b` finds them;
  /// `stopWords` leaves the common English ones out.
  case words(stopWords: Bool)
  /// All runs of `minimum` to `maximum` characters within a word and the spaces around it, as
  /// scikit-learn's `char_wb`: for scripts without spaces, for parts of words and for typing errors.
  case characters(minimum: Int, maximum: Int)
}

/// Cuts texts into terms, as UTF-8 bytes, in memory that is reused from text to text.
struct TextAnalyzer {
  private let analysis: TextAnalysis
  private let lowercase = Lowercase()
  private var scalars: [UInt32] = []
  private var bytes: [UInt8] = []
  private var ends: [Int] = []

  init(_ analysis: TextAnalysis) { self.analysis = analysis }

  /// Calls `body` for each term of a text, in order and as often as it occurs.
  mutating func forEachTerm(in text: String, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
    scalars.removeAll(keepingCapacity: true)
    lowercase.append(text, to: &scalars)
    switch analysis {
    case .words(let stopWords): words(stopWords, body)
    case .characters(let minimum, let maximum): grams(max(minimum, 1), maximum, body)
    }
  }

  private mutating func words(_ stopWords: Bool, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
    var start = 0
    while start < scalars.count {
      guard CharacterClasses.isWord(scalars[start]) else {
        start += 1
        continue
      }
      bytes.removeAll(keepingCapacity: true)
      var end = start
      while end < scalars.count, CharacterClasses.isWord(scalars[end]) {
        appendUTF8(scalars[end])
        end += 1
      }
      if end - start >= 2 {
        bytes.withUnsafeBufferPointer { word in
          if !stopWords || EnglishStopWords.table.find(word) == nil { body(word) }
        }
      }
      start = end
    }
  }

  private mutating func grams(
    _ minimum: Int, _ maximum: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Void
  ) {
    var start = 0
    while start < scalars.count {
      guard !CharacterClasses.isSpace(scalars[start]) else {
        start += 1
        continue
      }
      // The word between two spaces; `ends[n]` is where its n-th character ends.
      bytes.removeAll(keepingCapacity: true)
      ends.removeAll(keepingCapacity: true)
      ends.append(0)
      appendCharacter(0x20)
      while start < scalars.count, !CharacterClasses.isSpace(scalars[start]) {
        appendCharacter(scalars[start])
        start += 1
      }
      appendCharacter(0x20)
      let length = ends.count - 1
      for size in stride(from: minimum, through: maximum, by: 1) {
        bytes.withUnsafeBufferPointer { all in
          for first in 0...max(length - size, 0) {
            let end = ends[min(first + size, length)]
            body(UnsafeBufferPointer(rebasing: all[ends[first]..<end]))
          }
        }
        if size >= length { break }  // a short word counts once
      }
    }
  }

  private mutating func appendCharacter(_ scalar: UInt32) {
    appendUTF8(scalar)
    ends.append(bytes.count)
  }

  private mutating func appendUTF8(_ scalar: UInt32) {
    if scalar < 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: scalar))
    } else if let valid = Unicode.Scalar(scalar) {
      bytes.append(contentsOf: UTF8.encode(valid) ?? UTF8.encodedReplacementCharacter)
    }
  }
}
