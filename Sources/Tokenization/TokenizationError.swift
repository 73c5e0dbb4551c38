/// What can be wrong with a vocabulary or a tokenizer file.
public enum TokenizationError: Error, Equatable, CustomStringConvertible {
  /// A piece stands twice in a vocabulary; `place` is a file and line or a position.
  case repeatedPiece(piece: String, place: String, first: String)
  /// A vocabulary lacks a token that BERT needs.
  case missingSpecialToken(token: String, place: String)
  /// A file isn't UTF-8 at a line.
  case notUTF8(place: String)
  /// A tokenizer.json asks for something else than BERT's WordPiece.
  case unsupported(place: String, what: String)
  /// A tokenizer.json or tokenizer_config.json lacks a value or has it in another form.
  case malformed(place: String, what: String)
  /// A vocabulary can't be trained as asked.
  case untrainable(String)

  /// What is wrong, where, and what to do.
  public var description: String {
    switch self {
    case .repeatedPiece(let piece, let place, let first):
      "vocabulary has the piece \"\(piece)\" twice: \(place), first at \(first); remove one of them"
    case .missingSpecialToken(let token, let place):
      "vocabulary lacks the special token \(token): \(place); add it as a line of its own"
    case .notUTF8(let place):
      "text isn't UTF-8: \(place); convert the file to UTF-8"
    case .unsupported(let place, let what):
      "\(what): \(place); only BERT tokenizers with WordPiece are supported"
    case .malformed(let place, let what):
      "\(what): \(place); write the file again with the program that made it"
    case .untrainable(let what):
      what
    }
  }
}
