public import Foundation

extension Tokenizer {
  /// Loads the tokenizer of a model directory: its tokenizer.json, else its vocab.txt with
  /// `do_lower_case`, `strip_accents` and `tokenize_chinese_chars` of its tokenizer_config.json.
  ///
  /// Without a tokenizer_config.json the vocabulary is taken for an uncased one, as `transformers`
  /// does. Throws `TokenizationError` or the reason why a file can't be read.
  public static func load(directory: URL) throws -> Tokenizer {
    let manager = FileManager.default
    let json = directory.appendingPathComponent("tokenizer.json")
    if manager.fileExists(atPath: json.path) { return try load(tokenizerJSON: json) }
    let pieces = directory.appendingPathComponent("vocab.txt")
    guard manager.fileExists(atPath: pieces.path) else {
      throw FileError(
        "no tokenizer in \(directory.path): neither tokenizer.json nor vocab.txt is there; name a"
          + " model directory")
    }
    let configuration = directory.appendingPathComponent("tokenizer_config.json")
    var options = TokenizerOptions()
    if manager.fileExists(atPath: configuration.path) {
      options = try readOptions(configuration)
    }
    return Tokenizer(vocabulary: try Vocabulary(contentsOf: pieces), options: options)
  }

  private static func readOptions(_ url: URL) throws -> TokenizerOptions {
    let bytes = try FileContents.load(url)
    let root: JSONValue
    do {
      root = try JSONValue.parse(bytes)
    } catch let error as JSONError {
      throw TokenizationError.malformed(place: "\(url.path):\(error.line)", what: error.description)
    }
    func flag(_ key: String) throws -> Bool? {
      guard let value = root[key], !value.isNull else { return nil }
      guard let flag = value.boolValue else {
        throw TokenizationError.malformed(
          place: url.path, what: "\(key) is neither true, false nor null")
      }
      return flag
    }
    return TokenizerOptions(
      lowercase: try flag("do_lower_case") ?? true, stripAccents: try flag("strip_accents"),
      tokenizeChineseCharacters: try flag("tokenize_chinese_chars") ?? true)
  }
}
