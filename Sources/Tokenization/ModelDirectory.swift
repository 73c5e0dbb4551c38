public import Foundation

extension Tokenizer {
  /// Loads the tokenizer of a model directory: its tokenizer.json, else its vocab.txt.
  ///
  /// As in `transformers`, a tokenizer_config.json whose `tokenizer_class` is BertTokenizer (or isn't
  /// given) decides with `do_lower_case`, `strip_accents` and `tokenize_chinese_chars` over what
  /// tokenizer.json says; a key that lacks counts as true, null and true. A vocab.txt alone is taken
  /// for an uncased one. Throws `TokenizationError` or the reason why a file can't be read.
  public static func load(directory: URL) throws -> Tokenizer {
    let manager = FileManager.default
    let json = directory.appendingPathComponent("tokenizer.json")
    let pieces = directory.appendingPathComponent("vocab.txt")
    let file = directory.appendingPathComponent("tokenizer_config.json")
    let configuration: JSONValue? =
      manager.fileExists(atPath: file.path) ? try readConfiguration(file) : JSONValue?.none
    if manager.fileExists(atPath: json.path) {
      let tokenizer = try load(tokenizerJSON: json)
      guard let configuration, isBert(configuration["tokenizer_class"]?.stringValue) else {
        return tokenizer
      }
      let chosen = try options(configuration, over: tokenizer.options, path: file.path)
      return chosen == tokenizer.options ? tokenizer : tokenizer.with(options: chosen)
    }
    guard manager.fileExists(atPath: pieces.path) else {
      throw FileError(
        "no tokenizer in \(directory.path): neither tokenizer.json nor vocab.txt is there; name a"
          + " model directory")
    }
    var chosen = TokenizerOptions()
    if let configuration { chosen = try options(configuration, over: chosen, path: file.path) }
    return Tokenizer(vocabulary: try Vocabulary(contentsOf: pieces), options: chosen)
  }

  private static func readConfiguration(_ url: URL) throws -> JSONValue {
    do {
      return try JSONValue.parse(try FileContents.load(url))
    } catch let error as JSONError {
      throw TokenizationError.malformed(place: "\(url.path):\(error.line)", what: error.description)
    }
  }

  /// Whether a `tokenizer_class` is BERT's tokenizer under one of its names, or not given.
  package static func isBert(_ name: String?) -> Bool {
    guard var name else { return true }
    if name.hasSuffix("Fast") { name.removeLast(4) }
    return ["BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer"].contains(name)
  }

  private static func options(
    _ root: JSONValue, over options: TokenizerOptions, path: String
  ) throws -> TokenizerOptions {
    func flag(_ key: String) throws -> Bool? {
      guard let value = root[key], !value.isNull else { return nil }
      guard let flag = value.boolValue else {
        throw TokenizationError.malformed(
          place: path, what: "\(key) is neither true, false nor null")
      }
      return flag
    }
    var options = options
    options.lowercase = try flag("do_lower_case") ?? true
    options.stripAccents = try flag("strip_accents")
    options.tokenizeChineseCharacters = try flag("tokenize_chinese_chars") ?? true
    return options
  }
}
