/// Turns the content of a tokenizer.json into a tokenizer, or says why it can't.
struct TokenizerFileReader {
  let path: String
  let root: JSONValue

  func tokenizer() throws -> Tokenizer {
    let model = try section("model", type: "WordPiece", typeMayLack: true)
    let prefix = model["continuing_subword_prefix"]
    guard prefix == nil || prefix == .string("##") else {
      throw unsupported("model.continuing_subword_prefix", "is not \"##\"")
    }
    let normalizer = try section("normalizer", type: "BertNormalizer")
    _ = try section("pre_tokenizer", type: "BertPreTokenizer")
    let options = TokenizerOptions(
      lowercase: try flag(normalizer, "normalizer", "lowercase"),
      stripAccents: try optionalFlag(normalizer, "normalizer", "strip_accents"),
      tokenizeChineseCharacters: try flag(normalizer, "normalizer", "handle_chinese_chars"),
      cleanText: try flag(normalizer, "normalizer", "clean_text"),
      maximumWordLength: try wordLength(model))
    let added = try addedTokens()
    let ends = try PostProcessorReader(file: self).classAndSeparator()
    let names = SpecialTokens(
      padding: name(of: "[PAD]", among: added), unknown: try string(model, "model", "unk_token"),
      class: ends.class, separator: ends.separator, mask: name(of: "[MASK]", among: added))
    var table = try pieces(model)
    let pieceCount = table.count
    for (position, token) in added.enumerated() {
      let index = table.insert(token.content).index
      guard index == Int(token.id) else {
        throw malformed(
          "added_tokens[\(position)]",
          "has id \(token.id), but \"\(token.content)\" would be token \(index)")
      }
    }
    let vocabulary = try Vocabulary(
      table: table, pieceCount: pieceCount, specialTokens: names,
      added: added.filter(\.special).map { Int($0.id) }, place: path)
    return Tokenizer(
      vocabulary: vocabulary, options: options, addedTokens: added,
      cleansDecodedText: try decoderCleansUp())
  }

  /// An object whose `type` must be the given one.
  func section(_ name: String, type: String, typeMayLack: Bool = false) throws -> JSONValue {
    guard let value = root[name], !value.isNull else {
      throw unsupported(name, "is missing (\(type) expected)")
    }
    guard case .object = value else { throw malformed(name, "is no object") }
    let found = value["type"]
    if found == nil && typeMayLack { return value }
    guard found == .string(type) else {
      throw unsupported(name, "is \(found?.stringValue ?? "without type"), not \(type)")
    }
    return value
  }

  /// The vocabulary in the order of the ids, which must be 0, 1, 2 and so on.
  private func pieces(_ model: JSONValue) throws -> TokenTable {
    guard let members = model["vocab"]?.objectValue else {
      throw malformed("model.vocab", "is missing or no object")
    }
    var positions = Array(repeating: -1, count: members.count)
    for (position, member) in members.enumerated() {
      guard let id = member.value.intValue, positions.indices.contains(id), positions[id] < 0
      else {
        throw malformed(
          "model.vocab",
          "gives \"\(member.key)\" an id that isn't one of 0..<\(members.count) or"
            + " is another token's")
      }
      positions[id] = position
    }
    var table = TokenTable(expecting: members.count, bytes: members.count * 8)
    for (id, position) in positions.enumerated() {
      let (inserted, first) = table.insert(members[position].key)
      guard inserted else {
        throw TokenizationError.repeatedPiece(
          piece: members[position].key, place: "\(path): model.vocab, id \(id)",
          first: "id \(first)")
      }
    }
    return table
  }

  private func addedTokens() throws -> [AddedToken] {
    guard let list = root["added_tokens"], !list.isNull else { return [] }
    guard let elements = list.arrayValue else { throw malformed("added_tokens", "is no list") }
    let tokens = try elements.enumerated().map { position, element in
      let place = "added_tokens[\(position)]"
      guard let id = element["id"]?.intValue, let short = Int32(exactly: id), short >= 0 else {
        throw malformed("\(place).id", "is missing or no id")
      }
      return AddedToken(
        content: try string(element, place, "content"), id: short,
        singleWord: try flag(element, place, "single_word"),
        stripsLeft: try flag(element, place, "lstrip"),
        stripsRight: try flag(element, place, "rstrip"),
        normalized: try flag(element, place, "normalized"),
        special: try flag(element, place, "special"))
    }
    return tokens.sorted { $0.id < $1.id }
  }

  private func name(of usual: String, among added: [AddedToken]) -> String {
    // Padding and mask have no place of their own in the file: their usual names, or else the ones
    // of RoBERTa's style that some BERT vocabularies use.
    let other = usual == "[PAD]" ? "<pad>" : "<mask>"
    let isOther = added.contains { $0.content == other } && !added.contains { $0.content == usual }
    return isOther ? other : usual
  }

  private func wordLength(_ model: JSONValue) throws -> Int {
    guard let value = model["max_input_chars_per_word"] else { return 100 }
    guard let length = value.intValue, length >= 0 else {
      throw malformed("model.max_input_chars_per_word", "is no count")
    }
    return length
  }

  private func decoderCleansUp() throws -> Bool {
    guard let decoder = root["decoder"], !decoder.isNull else { return true }
    guard decoder["type"] == .string("WordPiece"), decoder["prefix"] == .string("##") else {
      throw unsupported("decoder", "is not WordPiece with \"##\"")
    }
    return try flag(decoder, "decoder", "cleanup")
  }

  func string(_ object: JSONValue, _ place: String, _ key: String) throws -> String {
    guard let value = object[key]?.stringValue else {
      throw malformed("\(place).\(key)", "is missing or no string")
    }
    return value
  }

  private func flag(_ object: JSONValue, _ place: String, _ key: String) throws -> Bool {
    guard let value = object[key]?.boolValue else {
      throw malformed("\(place).\(key)", "is missing or neither true nor false")
    }
    return value
  }

  private func optionalFlag(_ object: JSONValue, _ place: String, _ key: String) throws -> Bool? {
    guard let value = object[key], !value.isNull else { return nil }
    guard let flag = value.boolValue else {
      throw malformed("\(place).\(key)", "is neither true, false nor null")
    }
    return flag
  }

  func malformed(_ key: String, _ what: String) -> TokenizationError {
    .malformed(place: path, what: "\(key) \(what)")
  }

  func unsupported(_ key: String, _ what: String) -> TokenizationError {
    .unsupported(place: path, what: "\(key) \(what)")
  }
}

/// Reads which tokens begin and end a sequence, and refuses any other arrangement.
struct PostProcessorReader {
  let file: TokenizerFileReader

  func classAndSeparator() throws -> (class: String, separator: String) {
    guard let block = file.root["post_processor"], !block.isNull else {
      throw file.unsupported("post_processor", "is missing, so [CLS] and [SEP] would be too")
    }
    switch block["type"]?.stringValue {
    case "TemplateProcessing": return try template(block)
    case "BertProcessing":
      guard let first = block["cls"]?[0]?.stringValue, let last = block["sep"]?[0]?.stringValue
      else { throw file.malformed("post_processor", "lacks cls or sep") }
      return (first, last)
    case let type:
      throw file.unsupported(
        "post_processor", "is \(type ?? "without type"), not TemplateProcessing or BertProcessing")
    }
  }

  /// Accepts `[CLS] A [SEP]` and `[CLS] A [SEP] B:1 [SEP]:1` only.
  private func template(_ block: JSONValue) throws -> (class: String, separator: String) {
    guard let single = block["single"]?.arrayValue, let pair = block["pair"]?.arrayValue else {
      throw file.malformed("post_processor", "lacks single or pair")
    }
    guard single.count == 3, let first = special(single[0], type: 0),
      isSequence(single[1], "A", type: 0), let last = special(single[2], type: 0)
    else { throw file.unsupported("post_processor.single", "is not [CLS] A [SEP]") }
    guard pair.count == 5, pair[..<3].elementsEqual(single), isSequence(pair[3], "B", type: 1),
      special(pair[4], type: 1).map({ JSONValue.string($0) }) == .string(last)
    else {
      throw file.unsupported("post_processor.pair", "is not [CLS] A [SEP] B [SEP] with types 0, 1")
    }
    return (first, last)
  }

  private func special(_ entry: JSONValue, type: Int) -> String? {
    guard let token = entry["SpecialToken"], token["type_id"]?.intValue == type else { return nil }
    return token["id"]?.stringValue
  }

  private func isSequence(_ entry: JSONValue, _ name: String, type: Int) -> Bool {
    guard let sequence = entry["Sequence"] else { return false }
    return sequence["id"] == .string(name) && sequence["type_id"]?.intValue == type
  }
}
