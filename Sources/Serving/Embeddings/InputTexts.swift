import Tokenization

/// Reads `input` and `inputs`: a string, token ids, or a list of either.
enum InputTexts {
  /// Whether a value is a list of several texts, or of none: text-embeddings-inference counts those apart.
  static func isBatch(_ value: JSONValue?) -> Bool {
    guard let elements = value?.arrayValue else { return false }
    return elements.isEmpty || !elements.allSatisfy { $0.intValue != nil }
  }

  /// The texts, and whether it was one alone.
  ///
  /// As in text-embeddings-inference an empty list is of the kind `Empty`, an empty text in it isn't.
  ///
  /// - Throws: ``APIError`` for another shape, an empty list, an empty text, and more than `limit` texts.
  static func read(
    _ value: JSONValue, field: String, limit: Int
  ) throws -> (texts: [EmbeddingService.Text], isSingle: Bool) {
    func text(_ value: JSONValue) throws -> EmbeddingService.Text {
      switch value {
      case .string(let string):
        guard !string.isEmpty else {
          throw APIError.validation("`\(field)` must not hold an empty text", field: field)
        }
        return .string(string)
      case .array(let elements):
        guard !elements.isEmpty else {
          throw APIError.validation("`\(field)` must not hold an empty text", field: field)
        }
        return .ids(
          try elements.map { element in
            guard let number = element.intValue, let id = Int32(exactly: number), id >= 0 else {
              throw APIError.validation(
                "`\(field)` must hold strings or lists of token ids", field: field)
            }
            return id
          })
      default:
        throw APIError.validation(
          "`\(field)` must be a string, a list of strings, or token ids", field: field)
      }
    }
    guard let elements = value.arrayValue else { return ([try text(value)], true) }
    guard !elements.isEmpty else {
      throw APIError(kind: .empty, message: "`\(field)` cannot be empty", field: field)
    }
    if elements.allSatisfy({ $0.intValue != nil }) { return ([try text(value)], true) }
    guard elements.count <= limit else {
      throw APIError.validation(
        "`\(field)` has \(elements.count) texts, more than the \(limit) of a request", field: field)
    }
    return (try elements.map(text), false)
  }
}
