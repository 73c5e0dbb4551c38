extension Tokenizer {
  /// Joins tokens to text: pieces with `##` to the one before, spaces between words.
  ///
  /// Ids outside the vocabulary are left out. The spaces that `tokenizers`' WordPiece decoder cleans
  /// up (before `. ? ! ,` and contractions) are removed, unless the tokenizer.json said not to.
  public func decode(_ ids: [Int32], skipSpecialTokens: Bool = true) -> String {
    var bytes: [UInt8] = []
    var isFirst = true
    for id in ids where vocabulary.contains(id) {
      if skipSpecialTokens, skippedIDs.contains(id) { continue }
      let token = normalizedForms[id] ?? vocabulary.withUTF8(of: id) { Array($0) }
      if isFirst {
        append(token[...], to: &bytes)
      } else if token.starts(with: Tokenizer.continuation) {
        append(token[2...], to: &bytes)
      } else {
        append([0x20] + token[...], to: &bytes)
      }
      isFirst = false
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func append(_ token: ArraySlice<UInt8>, to bytes: inout [UInt8]) {
    var word = Array(token)
    // As the reference does it, token by token: a contraction is cleaned only within one token.
    if cleansDecodedText {
      for (from, to) in Tokenizer.cleanups { word = word.replacing(from, with: to) }
    }
    bytes.append(contentsOf: word)
  }

  private static let continuation = Array("##".utf8)
  private static let cleanups: [([UInt8], [UInt8])] = [
    (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"),
    (" 'm", "'m"), (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
  ].map { (Array($0.0.utf8), Array($0.1.utf8)) }
}
