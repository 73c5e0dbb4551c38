import Tokenization

/// Pieces of model cards.
enum CardText {
  /// A text as a quoted scalar of YAML, in which JSON's strings mean the same.
  static func quoted(_ text: String) -> String {
    String(decoding: JSONValue.string(text).serialized(), as: UTF8.self)
  }

  /// A text as a cell of a Markdown table.
  static func cell(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: " ")
      .split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
  }
}
