/// BERT's tokenizer: text to token ids and back, id for id as Hugging Face `tokenizers` does it.
///
/// Text is normalised (cleaned, CJK ideographs spaced, accents stripped, lowercased), split at
/// white space and punctuation, and each word is cut into the longest pieces of the vocabulary.
/// Special tokens such as `[MASK]` are recognised in the text itself, before all that.
///
///     let vocabulary = try Vocabulary(contentsOf: url)
///     let tokenizer = Tokenizer(vocabulary: vocabulary)
///     tokenizer.tokens(tokenizer.encode("Unaffable!"))  // [CLS] una ##ffa ##ble ! [SEP]
public struct Tokenizer: Sendable {
  /// The tokens and their ids.
  public let vocabulary: Vocabulary
  /// How text is normalised and split.
  public let options: TokenizerOptions
  /// The tokens looked for in the text itself; BERT's five special tokens unless a file says else.
  public let addedTokens: [AddedToken]
  /// Decoding removes the space before punctuation and contractions.
  let cleansDecodedText: Bool
  let engine: TextEncoderEngine
  let skippedIDs: Set<Int32>
  /// What added tokens that are looked for in normalised text decode to: their normalised form.
  let normalizedForms: [Int32: [UInt8]]

  /// Creates a tokenizer that recognises the vocabulary's five special tokens in text.
  public init(vocabulary: Vocabulary, options: TokenizerOptions = .init()) {
    let added = vocabulary.specialTokens.all.compactMap { token in
      vocabulary.id(of: token).map { AddedToken(content: token, id: $0) }
    }
    self.init(
      vocabulary: vocabulary, options: options, addedTokens: added.sorted { $0.id < $1.id },
      cleansDecodedText: true)
  }

  init(
    vocabulary: Vocabulary, options: TokenizerOptions, addedTokens: [AddedToken],
    cleansDecodedText: Bool
  ) {
    self.vocabulary = vocabulary
    self.options = options
    self.addedTokens = addedTokens
    self.cleansDecodedText = cleansDecodedText
    skippedIDs = Set(addedTokens.filter(\.special).map(\.id))
    let engine = TextEncoderEngine(
      vocabulary: vocabulary, options: options, addedTokens: addedTokens)
    var forms: [Int32: [UInt8]] = [:]
    for token in addedTokens where token.normalized {
      var content = token.content
      forms[token.id] = content.withUTF8 { engine.normalize($0) }
    }
    normalizedForms = forms
    self.engine = engine
  }

  /// Encodes a text, with [CLS] before and [SEP] after it unless told otherwise.
  ///
  /// `maximumLength` cuts the text's end so that the ids, special ones counted, are no more; the
  /// special ones themselves always stay.
  public func encode(
    _ text: String, addSpecialTokens: Bool = true, maximumLength: Int? = nil
  ) -> [Int32] {
    var scratch = EncodingScratch()
    var ids: [Int32] = []
    var text = text
    text.withUTF8 { bytes in
      encode(
        utf8: bytes, addSpecialTokens: addSpecialTokens, maximumLength: maximumLength,
        scratch: &scratch, into: &ids)
    }
    return ids
  }

  /// Encodes UTF-8 bytes and appends the ids to `ids`; for many texts, without an allocation each.
  ///
  /// Bytes that aren't UTF-8 count as U+FFFD, once for each maximal part of a sequence; cleaning
  /// removes that character. Otherwise equal to `encode(_:addSpecialTokens:maximumLength:)`.
  public func encode(
    utf8: UnsafeBufferPointer<UInt8>, addSpecialTokens: Bool, maximumLength: Int?,
    scratch: inout EncodingScratch, into ids: inout [Int32]
  ) {
    let special = addSpecialTokens ? 2 : 0
    let limit = maximumLength.map { max($0 - special, 0) } ?? Int.max
    engine.encode(utf8, limit: limit, scratch: &scratch)
    if addSpecialTokens { ids.append(vocabulary.classID) }
    ids.append(contentsOf: UnsafeBufferPointer(rebasing: scratch.ids.elements.prefix(limit)))
    if addSpecialTokens { ids.append(vocabulary.separatorID) }
  }

  /// Encodes two texts as `[CLS] a [SEP] b [SEP]`; the type is 0 up to the first [SEP], then 1.
  ///
  /// When the ids are more than `maximumLength`, the longer text loses tokens at its end until both
  /// are equally long, then both do ("longest first"). The three special tokens always stay.
  public func encodePair(
    _ a: String, _ b: String, maximumLength: Int? = nil
  ) -> (ids: [Int32], typeIDs: [Int32]) {
    let limit = maximumLength.map { max($0 - 3, 0) } ?? Int.max
    // Uncut: which of the two is the longer one decides.
    let first = encode(a, addSpecialTokens: false)
    let second = encode(b, addSpecialTokens: false)
    let (firstLength, secondLength) = Tokenizer.pairLengths(first.count, second.count, limit)
    var ids = [vocabulary.classID]
    ids += first.prefix(firstLength)
    ids.append(vocabulary.separatorID)
    var typeIDs = Array(repeating: Int32(0), count: ids.count)
    ids += second.prefix(secondLength)
    ids.append(vocabulary.separatorID)
    typeIDs += Array(repeating: 1, count: ids.count - typeIDs.count)
    return (ids, typeIDs)
  }

  /// How many tokens of two texts stay when both together may have `limit`.
  static func pairLengths(_ a: Int, _ b: Int, _ limit: Int) -> (Int, Int) {
    if a + b <= limit { return (a, b) }
    let shorter = min(a, b)
    let kept: (Int, Int) =
      shorter <= limit - shorter ? (shorter, limit - shorter) : (limit / 2, limit - limit / 2)
    return a <= b ? kept : (kept.1, kept.0)
  }

  /// The tokens of ids, which must belong to the vocabulary.
  public func tokens(_ ids: [Int32]) -> [String] {
    ids.map { vocabulary.token($0) }
  }

  /// The text after normalisation, before it is split.
  public func normalize(_ text: String) -> String {
    var text = text
    return String(decoding: text.withUTF8 { engine.normalize($0) }, as: UTF8.self)
  }

  /// The normalised words of a text, before they are cut into pieces; punctuation marks are words.
  ///
  /// Special and added tokens aren't looked for.
  public func words(_ text: String) -> [String] {
    var text = text
    return text.withUTF8 { engine.words($0) }
  }
}
