import Foundation
import Tokenization

/// Reads and writes the tokenizer of a directory, as `AutoTokenizer` does.
enum TokenizerFiles {
  private struct Settings: Decodable {
    let tokenizer_class: String?
    let do_lower_case: Bool?
    let strip_accents: Bool?
    let tokenize_chinese_chars: Bool?

    static let absent = Settings(
      tokenizer_class: nil, do_lower_case: nil, strip_accents: nil, tokenize_chinese_chars: nil)

    /// transformers builds the normaliser of a `BertTokenizer` from these keys, with these defaults,
    /// whatever tokenizer.json says.
    func apply(to options: TokenizerOptions) -> TokenizerOptions {
      var result = options
      result.lowercase = do_lower_case ?? true
      result.stripAccents = strip_accents
      result.tokenizeChineseCharacters = tokenize_chinese_chars ?? true
      return result
    }
  }

  /// Reads tokenizer.json, else vocab.txt, and lets tokenizer_config.json decide about the case.
  static func read(_ directory: URL, lowercasesText: Bool) throws -> Tokenizer {
    let json = directory.appendingPathComponent("tokenizer.json")
    let vocabulary = directory.appendingPathComponent("vocab.txt")
    let file = directory.appendingPathComponent("tokenizer_config.json")
    let settings = try JSONFile.decodeIfPresent(Settings.self, from: file)
    var tokenizer: Tokenizer
    if FileSystem.exists(json) {
      tokenizer = try Tokenizer.load(tokenizerJSON: json)
      if let settings, isBert(settings.tokenizer_class) {
        tokenizer = change(tokenizer, to: settings.apply(to: tokenizer.options))
      }
    } else if FileSystem.exists(vocabulary) {
      tokenizer = Tokenizer(
        vocabulary: try Vocabulary(contentsOf: vocabulary),
        options: (settings ?? .absent).apply(to: TokenizerOptions()))
    } else {
      throw CheckpointError(
        "there is no tokenizer.json and no vocab.txt", path: directory.path,
        advice: "only BERT models with a WordPiece vocabulary are supported")
    }
    if lowercasesText, !tokenizer.options.lowercase {
      var options = tokenizer.options
      // Lowercasing comes first there, and leaves the accents to the tokenizer's own setting.
      options.stripAccents = options.stripAccents ?? false
      options.lowercase = true
      tokenizer = change(tokenizer, to: options)
    }
    return tokenizer
  }

  private static func isBert(_ name: String?) -> Bool {
    name == nil || name == "BertTokenizer" || name == "BertTokenizerFast"
  }

  private static func change(_ tokenizer: Tokenizer, to options: TokenizerOptions) -> Tokenizer {
    tokenizer.options == options ? tokenizer : tokenizer.with(options: options)
  }

  /// Writes all four files and returns their names; tokenizer.json and the configuration say the same.
  static func write(
    _ tokenizer: Tokenizer, maximumLength: Int, to directory: URL
  ) throws -> [String] {
    let special = tokenizer.vocabulary.specialTokens
    let options = tokenizer.options
    let names = [
      ("unk_token", special.unknown), ("sep_token", special.separator),
      ("pad_token", special.padding), ("cls_token", special.class), ("mask_token", special.mask),
    ]
    let tokens = names.map { "  \"\($0.0)\": \(JSONText.quoted($0.1))" }.joined(separator: ",\n")
    let configuration = """
      {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": \(options.lowercase),
        "strip_accents": \(options.stripAccents.map { "\($0)" } ?? "null"),
        "tokenize_chinese_chars": \(options.tokenizeChineseCharacters),
        "model_max_length": \(maximumLength),
      \(tokens)
      }

      """
    try tokenizer.writeTokenizerJSON(to: directory.appendingPathComponent("tokenizer.json"))
    try tokenizer.vocabulary.write(to: directory.appendingPathComponent("vocab.txt"))
    try TextFile.write(configuration, "tokenizer_config.json", in: directory)
    try TextFile.write("{\n\(tokens)\n}\n", "special_tokens_map.json", in: directory)
    return ["tokenizer.json", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json"]
  }
}
