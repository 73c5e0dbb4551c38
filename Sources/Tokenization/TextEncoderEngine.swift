/// The part of a tokenizer that turns text into ids; made once, shared by all its copies.
final class TextEncoderEngine: Sendable {
  private let trie: PieceTrie
  private let unknownID: Int32
  private let maximumWordLength: Int
  private let splitter: TextSplitter
  private let rawTokens: AddedTokenMatcher?
  /// Tokens that are looked for in normalised text, and how the text around them is split.
  private let normalizedTokens: AddedTokenMatcher?
  private let plainSplitter: TextSplitter
  /// The id of each ASCII punctuation character.
  private let punctuationIDs: [Int32]

  init(vocabulary: Vocabulary, options: TokenizerOptions, addedTokens: [AddedToken]) {
    let trie = PieceTrie(vocabulary.table, count: vocabulary.pieceCount)
    self.trie = trie
    unknownID = vocabulary.unknownID
    maximumWordLength = options.maximumWordLength
    let normalizer = TextNormalizer(options)
    splitter = TextSplitter(normalizer)
    plainSplitter = TextSplitter(.identity)
    rawTokens = AddedTokenMatcher(
      addedTokens.filter { !$0.normalized }.map { (Array($0.content.utf8), $0) })
    normalizedTokens = AddedTokenMatcher(
      addedTokens.filter(\.normalized).map {
        (TextEncoderEngine.normalized($0.content, normalizer), $0)
      })
    var ids = GrowableBuffer<Int32>()
    punctuationIDs = (0..<128).map { byte in
      ids.count = 0
      if options.maximumWordLength < 1 { return vocabulary.unknownID }
      withUnsafePointer(to: UInt8(byte)) {
        trie.split($0, 1, unknown: vocabulary.unknownID, into: &ids)
      }
      return ids.base[0]
    }
  }

  private static func normalized(_ text: String, _ normalizer: TextNormalizer) -> [UInt8] {
    var scalars = GrowableBuffer<UInt32>()
    var bytes = GrowableBuffer<UInt8>()
    var text = text
    text.withUTF8 { normalizer.normalize($0, into: &scalars) }
    for code in scalars.elements { UTF8Bytes.append(code, to: &bytes) }
    return Array(bytes.elements)
  }

  /// Normalises a whole text.
  func normalize(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var scalars = GrowableBuffer<UInt32>(capacity: text.count)
    var bytes = GrowableBuffer<UInt8>(capacity: text.count)
    splitter.normalizer.normalize(text, into: &scalars)
    for code in scalars.elements { UTF8Bytes.append(code, to: &bytes) }
    return Array(bytes.elements)
  }

  /// The normalised words of a text, punctuation among them.
  func words(_ text: UnsafeBufferPointer<UInt8>) -> [String] {
    guard var scanner = splitter.scanner(text) else { return [] }
    var scalars = GrowableBuffer<UInt32>()
    var bytes = GrowableBuffer<UInt8>()
    var spans = GrowableBuffer<WordSpan>()
    var words: [String] = []
    while let chunk = scanner.next() {
      let raw = UnsafeBufferPointer(start: scanner.bytes + chunk.start, count: chunk.count)
      if chunk.kind != .complex {
        words.append(String(decoding: raw.map { splitter.lowered[Int($0)] }, as: UTF8.self))
        continue
      }
      splitter.words(in: raw, scalars: &scalars, bytes: &bytes, spans: &spans)
      for span in spans.elements {
        let word = UnsafeBufferPointer(start: bytes.base + span.start, count: span.count)
        words.append(String(decoding: word, as: UTF8.self))
      }
    }
    return words
  }

  /// Encodes a text into `scratch.ids` (overwritten) without [CLS] and [SEP].
  ///
  /// Stops once there are `limit` ids; there may be some more.
  func encode(
    _ text: UnsafeBufferPointer<UInt8>, limit: Int, scratch: inout EncodingScratch
  ) {
    scratch.prepare(for: self, bytes: text.count)
    guard let rawTokens else { return encodeSegment(text, limit: limit, scratch: &scratch) }
    var position = 0
    while position < text.count, scratch.ids.count < limit {
      let match = rawTokens.next(in: text, from: position)
      let end = match?.range.lowerBound ?? text.count
      if end > position {
        let segment = UnsafeBufferPointer(rebasing: text[position..<end])
        encodeSegment(segment, limit: limit, scratch: &scratch)
      }
      if let match { scratch.ids.append(match.id) }
      position = match?.range.upperBound ?? text.count
    }
  }

  /// Text without raw added tokens.
  private func encodeSegment(
    _ text: UnsafeBufferPointer<UInt8>, limit: Int, scratch: inout EncodingScratch
  ) {
    guard let normalizedTokens else {
      return encodeWords(text, splitter, caching: true, limit: limit, scratch: &scratch)
    }
    let normal = normalize(text)
    normal.withUnsafeBufferPointer { normal in
      var position = 0
      while position < normal.count, scratch.ids.count < limit {
        let match = normalizedTokens.next(in: normal, from: position)
        let end = match?.range.lowerBound ?? normal.count
        let segment = UnsafeBufferPointer(rebasing: normal[position..<end])
        // Not cached: the cache's words are raw ones.
        encodeWords(segment, plainSplitter, caching: false, limit: limit, scratch: &scratch)
        if let match { scratch.ids.append(match.id) }
        position = match?.range.upperBound ?? normal.count
      }
    }
  }

  private func encodeWords(
    _ text: UnsafeBufferPointer<UInt8>, _ splitter: TextSplitter, caching: Bool, limit: Int,
    scratch: inout EncodingScratch
  ) {
    guard var scanner = splitter.scanner(text) else { return }
    let cached = caching && scratch.cache != nil
    while scratch.ids.count < limit, let chunk = scanner.next() {
      let start = scanner.bytes + chunk.start
      if chunk.kind == .punctuation {
        scratch.ids.append(punctuationIDs[Int(start[0] & 0x7F)])
      } else if cached, chunk.count <= WordKey.limit {
        let key = WordKey(start, chunk.count, readable: text.count - chunk.start)
        encodeCached(key, start, chunk, splitter, &scratch)
      } else {
        encodeChunk(start, chunk, splitter, &scratch)
      }
    }
  }

  @inline(__always)
  private func encodeCached(
    _ key: WordKey, _ start: UnsafePointer<UInt8>, _ chunk: TextChunk, _ splitter: TextSplitter,
    _ scratch: inout EncodingScratch
  ) {
    if let entry = scratch.cache?.find(key) {
      scratch.ids.reserve(WordCache.idLimit)
      // All eight are copied, the count says how many of them are meant.
      UnsafeMutableRawPointer(scratch.ids.base + scratch.ids.count)
        .storeBytes(of: entry.pointee.ids, as: SIMD8<Int32>.self)
      scratch.ids.count += Int(entry.pointee.count)
      return
    }
    let mark = scratch.ids.count
    encodeChunk(start, chunk, splitter, &scratch)
    scratch.cache?.store(key, UnsafeBufferPointer(rebasing: scratch.ids.elements[mark...]))
  }

  @inline(never)
  private func encodeChunk(
    _ start: UnsafePointer<UInt8>, _ chunk: TextChunk, _ splitter: TextSplitter,
    _ scratch: inout EncodingScratch
  ) {
    if chunk.kind == .plain {
      if chunk.count > maximumWordLength {
        scratch.ids.append(unknownID)
        return
      }
      scratch.word.count = 0
      scratch.word.reserve(chunk.count)
      for i in 0..<chunk.count { scratch.word.base[i] = splitter.lowered[Int(start[i])] }
      trie.split(scratch.word.base, chunk.count, unknown: unknownID, into: &scratch.ids)
      return
    }
    splitter.words(
      in: UnsafeBufferPointer(start: start, count: chunk.count), scalars: &scratch.scalars,
      bytes: &scratch.word, spans: &scratch.spans)
    for i in 0..<scratch.spans.count {
      let span = scratch.spans.base[i]
      if span.scalars > maximumWordLength {
        scratch.ids.append(unknownID)
      } else {
        let word = scratch.word.base + span.start
        trie.split(word, span.count, unknown: unknownID, into: &scratch.ids)
      }
    }
  }
}
