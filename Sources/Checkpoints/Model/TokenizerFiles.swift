import EncoderModel
import Foundation
import Tokenization

/// Reads and writes the tokenizer of a directory, as `AutoTokenizer` does.
enum TokenizerFiles {
  /// Reads tokenizer.json, else vocab.txt, and lets tokenizer_config.json decide about the case.
  static func read(_ directory: URL, lowercasesText: Bool) throws -> Tokenizer {
    try check(directory)
    let tokenizer = try Tokenizer.load(directory: directory)
    guard lowercasesText, !tokenizer.options.lowercase else { return tokenizer }
    var options = tokenizer.options
    // Lowercasing comes first there, and leaves the accents to the tokenizer's own setting.
    options.stripAccents = options.stripAccents ?? false
    options.lowercase = true
    return tokenizer.with(options: options)
  }

  /// Refuses directories whose tokenizer is another one, or only half there.
  private static func check(_ directory: URL) throws {
    func has(_ name: String) -> Bool {
      FileSystem.exists(directory.appendingPathComponent(name))
    }
    if has("tokenizer.json") { return }
    let supported = "only BERT models with a WordPiece vocabulary are supported"
    guard has("vocab.txt") else {
      for name in ["sentencepiece.bpe.model", "spiece.model", "tokenizer.model", "merges.txt"]
      where has(name) {
        throw CheckpointError(
          "the tokenizer is \(name == "merges.txt" ? "byte-level BPE" : "SentencePiece"), not WordPiece",
          path: directory.appendingPathComponent(name).path, advice: supported)
      }
      throw CheckpointError(
        "there is no tokenizer.json and no vocab.txt", path: directory.path, advice: supported)
    }
    let added = directory.appendingPathComponent("added_tokens.json")
    if let tokens = try JSONFile.ifPresent(added)?.root.objectValue, !tokens.isEmpty {
      throw CheckpointError(
        "\(tokens.count) tokens were added to vocab.txt, which isn't read without tokenizer.json",
        path: added.path,
        advice:
          "write one with transformers: AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)")
    }
    let settings = directory.appendingPathComponent("tokenizer_config.json")
    let name = try JSONFile.ifPresent(settings)?.string("tokenizer_class")
    guard Tokenizer.isBert(name) else {
      throw CheckpointError(
        "the tokenizer \(name ?? "") needs more than vocab.txt", path: settings.path,
        item: "tokenizer_class", advice: supported)
    }
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
