public import Foundation

extension Tokenizer {
  /// Reads a tokenizer.json of a BERT tokenizer with WordPiece.
  ///
  /// Both post-processors that BERT files have had (TemplateProcessing and BertProcessing) and added
  /// tokens are understood. The blocks `truncation` and `padding` are ignored: lengths are the
  /// caller's business. Throws `TokenizationError` (`.unsupported` for another kind of tokenizer),
  /// with the file's path and the key, `JSONError`'s message, or why the file can't be read.
  public static func load(tokenizerJSON url: URL) throws -> Tokenizer {
    let bytes = try FileContents.load(url)
    do {
      return try TokenizerFileReader(path: url.path, root: JSONValue.parse(bytes)).tokenizer()
    } catch let error as JSONError {
      throw TokenizationError.malformed(place: "\(url.path):\(error.line)", what: error.description)
    }
  }

  /// Writes a tokenizer.json that `tokenizers` and `transformers` read, atomically.
  public func writeTokenizerJSON(to url: URL) throws {
    try FileContents.save(tokenizerJSON.serialized(pretty: true), to: url)
  }

  /// The content of a tokenizer.json, member by member as `tokenizers` writes it.
  public var tokenizerJSON: JSONValue {
    let special = vocabulary.specialTokens
    func entry(_ token: String, _ type: Int64) -> JSONValue {
      ["SpecialToken": ["id": .string(token), "type_id": .integer(type)]]
    }
    func sequence(_ name: String, _ type: Int64) -> JSONValue {
      ["Sequence": ["id": .string(name), "type_id": .integer(type)]]
    }
    func definition(_ token: String, _ id: Int32) -> JSONMember {
      let value: JSONValue = [
        "id": .string(token), "ids": [.integer(Int64(id))], "tokens": [.string(token)],
      ]
      return JSONMember(token, value)
    }
    let single = [entry(special.class, 0), sequence("A", 0), entry(special.separator, 0)]
    let pair = single + [sequence("B", 1), entry(special.separator, 1)]
    // The reference sorts these by name.
    let definitions = [
      definition(special.class, vocabulary.classID),
      definition(special.separator, vocabulary.separatorID),
    ].sorted { Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8)) }
    let pieces = (0..<vocabulary.pieceCount).map { id in
      JSONMember(vocabulary.token(Int32(id)), .integer(Int64(id)))
    }
    return [
      "version": "1.0", "truncation": .null, "padding": .null,
      "added_tokens": .array(addedTokens.map(Tokenizer.json)),
      "normalizer": [
        "type": "BertNormalizer", "clean_text": .bool(options.cleanText),
        "handle_chinese_chars": .bool(options.tokenizeChineseCharacters),
        "strip_accents": options.stripAccents.map { .bool($0) } ?? .null,
        "lowercase": .bool(options.lowercase),
      ],
      "pre_tokenizer": ["type": "BertPreTokenizer"],
      "post_processor": [
        "type": "TemplateProcessing", "single": .array(single), "pair": .array(pair),
        "special_tokens": .object(definitions),
      ],
      "decoder": ["type": "WordPiece", "prefix": "##", "cleanup": .bool(cleansDecodedText)],
      "model": [
        "type": "WordPiece", "unk_token": .string(special.unknown),
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": .integer(Int64(options.maximumWordLength)),
        "vocab": .object(pieces),
      ],
    ]
  }

  private static func json(_ token: AddedToken) -> JSONValue {
    [
      "id": .integer(Int64(token.id)), "content": .string(token.content),
      "single_word": .bool(token.singleWord), "lstrip": .bool(token.stripsLeft),
      "rstrip": .bool(token.stripsRight), "normalized": .bool(token.normalized),
      "special": .bool(token.special),
    ]
  }
}
