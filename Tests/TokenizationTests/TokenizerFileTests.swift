import Foundation
import Testing
import Tokenization

/// tokenizer.json, in and out, against files that `tokenizers` wrote.
@Suite struct TokenizerFileTests {
  @Test func writtenFilesAreByteForByteTheReferences() throws {
    let directory = try TemporaryDirectory()
    let url = directory.url.appendingPathComponent("tokenizer.json")
    try Tokenizer(vocabulary: GoldenFiles.vocabulary()).writeTokenizerJSON(to: url)
    #expect([UInt8](try Data(contentsOf: url)) == (try GoldenFiles.bytes("tokenizer.json")))
    let loaded = try Tokenizer.load(tokenizerJSON: url)
    #expect(loaded.vocabulary == (try GoldenFiles.vocabulary()))
    #expect(loaded.options == TokenizerOptions())
  }

  @Test func addedTokensAreFoundAsTheReferenceFindsThem() throws {
    let golden = try GoldenFiles.json("added.json")
    let directory = try TemporaryDirectory()
    let text = try #require(golden["json"]?.stringValue)
    let url = try directory.write(text, to: "tokenizer.json")
    let tokenizer = try Tokenizer.load(tokenizerJSON: url)
    let decoded = try golden.list("decoded")
    for (index, pair) in try zip(golden.list("texts"), golden.list("ids")).enumerated() {
      let text = try #require(pair.0.stringValue)
      #expect(tokenizer.encode(text) == pair.1.ids, "\(text)")
      #expect(.string(tokenizer.decode(pair.1.ids)) == decoded[index])
    }
    // The added tokens survive being written.
    #expect(tokenizer.tokenizerJSON == (try JSONValue.parse(Array(text.utf8))))
  }

  @Test(
    arguments: [
      TokenizerOptions(lowercase: false), TokenizerOptions(stripAccents: false),
      TokenizerOptions(lowercase: false, stripAccents: true),
      TokenizerOptions(tokenizeChineseCharacters: false), TokenizerOptions(cleanText: false),
      TokenizerOptions(maximumWordLength: 7),
    ])
  func optionsSurvive(options: TokenizerOptions) throws {
    let directory = try TemporaryDirectory()
    let url = directory.url.appendingPathComponent("tokenizer.json")
    try Tokenizer(vocabulary: GoldenFiles.vocabulary(), options: options)
      .writeTokenizerJSON(to: url)
    #expect(try Tokenizer.load(tokenizerJSON: url).options == options)
  }

  /// The golden file with one part replaced, in its compact form.
  private func changed(_ from: String, _ to: String) throws -> String {
    let compact = try GoldenFiles.json("tokenizer.json").serialized()
    let text = String(decoding: compact, as: UTF8.self)
    let result = text.replacing(from, with: to)
    try #require(result != text, "nothing to replace")
    return result
  }

  @Test func olderBertProcessingIsUnderstood() throws {
    let directory = try TemporaryDirectory()
    var root = try #require(GoldenFiles.json("tokenizer.json").objectValue)
    for index in root.indices where root[index].key == "post_processor" {
      root[index].value = ["type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]]
    }
    let text = String(decoding: JSONValue.object(root).serialized(), as: UTF8.self)
    let old = try Tokenizer.load(tokenizerJSON: directory.write(text, to: "old.json"))
    let new = try Tokenizer.load(tokenizerJSON: GoldenFiles.url("tokenizer.json"))
    #expect(old.encodePair("reads", "writes").ids == new.encodePair("reads", "writes").ids)
  }

  @Test func truncationAndPaddingBlocksAreTheCallersBusiness() throws {
    let directory = try TemporaryDirectory()
    let text = try changed(
      #""truncation":null"#,
      #""truncation":{"max_length":2,"strategy":"LongestFirst","stride":0,"direction":"Right"}"#)
    let tokenizer = try Tokenizer.load(tokenizerJSON: directory.write(text, to: "t.json"))
    #expect(tokenizer.encode("reads and writes").count > 2)
  }

  @Test(
    arguments: [
      (#""type":"WordPiece","unk_token""#, #""type":"BPE","unk_token""#, "model is BPE"),
      (
        ###""continuing_subword_prefix":"##""###, #""continuing_subword_prefix":"@@""#,
        "continuing_subword_prefix"
      ),
      (#""type":"BertNormalizer""#, #""type":"Lowercase""#, "normalizer is Lowercase"),
      (#"{"type":"BertPreTokenizer"}"#, "null", "pre_tokenizer is missing"),
      (#""type":"BertPreTokenizer""#, #""type":"ByteLevel""#, "pre_tokenizer is ByteLevel"),
      (#""type":"TemplateProcessing""#, #""type":"RobertaProcessing""#, "RobertaProcessing"),
      (
        #""single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},"#, #""single":["#,
        "post_processor.single"
      ),
      (
        #"{"Sequence":{"id":"B","type_id":1}}"#, #"{"Sequence":{"id":"B","type_id":0}}"#,
        "post_processor.pair"
      ),
      (#""decoder":{"type":"WordPiece""#, #""decoder":{"type":"ByteLevel""#, "decoder"),
      (#""lowercase":true"#, #""lowercase":1"#, "normalizer.lowercase"),
      (#""max_input_chars_per_word":100"#, #""max_input_chars_per_word":-1"#, "max_input"),
      (#""[MASK]":4"#, #""[MASK]":3"#, "model.vocab"),
      (#""[MASK]":4"#, #""[MASK]":1000000000000"#, "model.vocab"),
      (#""[MASK]":4"#, #""[PAD]":4"#, "twice"),
      (#""unk_token":"[UNK]""#, #""unk_token":"[unk]""#, "lacks the special token [unk]"),
      (#""id":4,"content":"[MASK]""#, #""id":9,"content":"[MASK]""#, "added_tokens[4]"),
      (#""id":4,"content":"[MASK]""#, #""id":4,"content":7"#, "added_tokens[4].content"),
      (#""version":"1.0","#, #""version":"1.0""#, "not valid JSON"),
    ])
  func whatIsntABertTokenizerIsRefused(from: String, to: String, message: String) throws {
    let directory = try TemporaryDirectory()
    let url = try directory.write(try changed(from, to), to: "t.json")
    let error = #expect(throws: TokenizationError.self) {
      try Tokenizer.load(tokenizerJSON: url)
    }
    let text = error?.description ?? ""
    #expect(text.contains(message) && text.contains(url.path), "\(text)")
  }

  @Test func modelDirectoriesAreReadAsTransformersDoes() throws {
    let directory = try TemporaryDirectory()
    let error = #expect(throws: (any Error).self) { try Tokenizer.load(directory: directory.url) }
    #expect("\(error.map { "\($0)" } ?? "")".contains(directory.url.path))

    let vocabulary = try GoldenFiles.vocabulary()
    try vocabulary.write(to: directory.url.appendingPathComponent("vocab.txt"))
    #expect(try Tokenizer.load(directory: directory.url).options == TokenizerOptions())
    _ = try directory.write(
      #"{"do_lower_case":false,"strip_accents":null,"tokenize_chinese_chars":false}"#,
      to: "tokenizer_config.json")
    #expect(
      try Tokenizer.load(directory: directory.url).options
        == TokenizerOptions(lowercase: false, tokenizeChineseCharacters: false))
    _ = try directory.write(#"{"do_lower_case":"no"}"#, to: "tokenizer_config.json")
    #expect(throws: TokenizationError.self) { try Tokenizer.load(directory: directory.url) }

    // Beside a tokenizer.json, as AutoTokenizer of transformers 5.24 was seen to do it: the
    // configuration of a BertTokenizer, or of no class, decides; that of another class doesn't.
    let stripping = TokenizerOptions(lowercase: false, stripAccents: true)
    try Tokenizer(vocabulary: vocabulary, options: stripping)
      .writeTokenizerJSON(to: directory.url.appendingPathComponent("tokenizer.json"))
    let cases: [(String, TokenizerOptions)] = [
      (#"{"tokenizer_class":"PreTrainedTokenizerFast","do_lower_case":true}"#, stripping),
      (#"{"tokenizer_class":"BertTokenizer"}"#, TokenizerOptions()),
      (
        #"{"tokenizer_class":"BertTokenizerFast","strip_accents":false}"#,
        TokenizerOptions(stripAccents: false)
      ),
      (#"{"do_lower_case":false}"#, TokenizerOptions(lowercase: false)),
    ]
    for (configuration, options) in cases {
      _ = try directory.write(configuration, to: "tokenizer_config.json")
      #expect(try Tokenizer.load(directory: directory.url).options == options, "\(configuration)")
    }
    try FileManager.default.removeItem(
      at: directory.url.appendingPathComponent("tokenizer_config.json"))
    #expect(try Tokenizer.load(directory: directory.url).options == stripping)
  }
}
