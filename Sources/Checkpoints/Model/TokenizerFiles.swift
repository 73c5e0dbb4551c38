import Foundation
import Tokenization

/// Reads and writes the tokenizer of a directory, as `AutoTokenizer` does.
enum TokenizerFiles {
  /// The options under the keys of tokenizer_config.json.
  ///
  /// transformers builds the normaliser of a `BertTokenizer` from these keys, with these defaults,
  /// whatever tokenizer.json says.
  private static func apply(
    _ file: JSONFile?, to options: TokenizerOptions
  ) throws -> TokenizerOptions {
    var result = options
    result.lowercase = try file?.flag("do_lower_case") ?? true
    result.stripAccents = try file?.flag("strip_accents")
    result.tokenizeChineseCharacters = try file?.flag("tokenize_chinese_chars") ?? true
    return result
  }

  /// Reads tokenizer.json, else vocab.txt, and lets tokenizer_config.json decide about the case.
  static func read(_ directory: URL, lowercasesText: Bool) throws -> Tokenizer {
    let json = directory.appendingPathComponent("tokenizer.json")
    let vocabulary = directory.appendingPathComponent("vocab.txt")
    let file = directory.appendingPathComponent("tokenizer_config.json")
    let settings = try JSONFile.ifPresent(file)
    var tokenizer: Tokenizer
    if FileSystem.exists(json) {
      tokenizer = try Tokenizer.load(tokenizerJSON: json)
      if let settings, isBert(try settings.string("tokenizer_class")) {
        tokenizer = change(tokenizer, to: try apply(settings, to: tokenizer.options))
      }
    } else if FileSystem.exists(vocabulary) {
      tokenizer = Tokenizer(
        vocabulary: try Vocabulary(contentsOf: vocabulary),
        options: try apply(settings, to: TokenizerOptions()))
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
    let tokens = [
      JSONMember("unk_token", .string(special.unknown)),
      JSONMember("sep_token", .string(special.separator)),
      JSONMember("pad_token", .string(special.padding)),
      JSONMember("cls_token", .string(special.class)),
      JSONMember("mask_token", .string(special.mask)),
    ]
    let configuration = [
      JSONMember("tokenizer_class", "BertTokenizer"),
      JSONMember("do_lower_case", .bool(options.lowercase)),
      JSONMember("strip_accents", options.stripAccents.map { .bool($0) } ?? .null),
      JSONMember("tokenize_chinese_chars", .bool(options.tokenizeChineseCharacters)),
      JSONMember("model_max_length", .integer(Int64(maximumLength))),
    ]
    try tokenizer.writeTokenizerJSON(to: directory.appendingPathComponent("tokenizer.json"))
    try tokenizer.vocabulary.write(to: directory.appendingPathComponent("vocab.txt"))
    try JSONFile.write(.object(configuration + tokens), "tokenizer_config.json", in: directory)
    try JSONFile.write(.object(tokens), "special_tokens_map.json", in: directory)
    return ["tokenizer.json", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json"]
  }
}
