import Dispatch

/// Trains a WordPiece vocabulary on text.
///
/// The pieces are those of Hugging Face's WordPieceTrainer: from single characters on, the most
/// frequent pair of neighbouring pieces becomes a piece, until there are as many as asked for. The
/// special tokens [PAD] [UNK] [CLS] [SEP] [MASK] come first, ids 0 to 4. The result doesn't depend on
/// the number of threads.
///
///     let trainer = VocabularyTrainer(size: 8192)
///     let trained = try trainer.train(texts: descriptions, threads: 2)
///     try trained.vocabulary.write(to: url)
public struct VocabularyTrainer: Sendable {
  /// How many tokens are asked for, the special ones included.
  public let size: Int
  /// How text is normalised and split.
  public let options: TokenizerOptions
  /// Pairs that occur less often don't become pieces.
  public let minimumFrequency: Int
  /// At most so many different characters, the most frequent ones, get a piece.
  public let alphabetLimit: Int

  /// Creates a trainer; the defaults are the reference library's usual ones.
  public init(
    size: Int, options: TokenizerOptions = .init(), minimumFrequency: Int = 2,
    alphabetLimit: Int = 1000
  ) {
    self.size = size
    self.options = options
    self.minimumFrequency = minimumFrequency
    self.alphabetLimit = alphabetLimit
  }

  /// Trains on texts in memory.
  ///
  /// Throws as `train(threads:nextBatch:)` does.
  public func train(texts: some Sequence<String>, threads: Int = 1) throws -> TrainedVocabulary {
    var iterator = texts.makeIterator()
    return try train(threads: threads) {
      var batch: [UInt8] = []
      while batch.count < 1 << 20, let text = iterator.next() {
        batch.append(contentsOf: text.utf8)
        batch.append(UInt8(ascii: "\n"))
      }
      return batch.isEmpty ? nil : batch
    }
  }

  /// Trains on text that comes in batches; only the distinct words are kept in memory.
  ///
  /// `nextBatch` gives any number of whole lines in UTF-8, separated by `\n`, and nil at the end; it
  /// is called on the calling thread. Throws what `nextBatch` throws, and
  /// `TokenizationError.untrainable` when the text has no words or `size` leaves no room for pieces.
  public func train(
    threads: Int = 1, nextBatch: () throws -> [UInt8]?
  ) throws -> TrainedVocabulary {
    let special = SpecialTokens()
    guard size >= special.all.count + 2 else {
      throw TokenizationError.untrainable(
        "a vocabulary of \(size) has no room for pieces beside the \(special.all.count) special"
          + " tokens; ask for more")
    }
    let words = try countWords(threads: threads, nextBatch)
    guard words.words.count > 0 else {
      throw TokenizationError.untrainable("the text has no words; give a text to train on")
    }
    var tokens = TokenTable(expecting: size)
    for token in special.all { _ = tokens.insert(token) }
    let alphabet = Alphabet(words, limit: alphabetLimit, room: size - tokens.count)
    var merger = PairMerger()
    addCharacters(of: alphabet, words, to: &tokens, &merger)
    let merges = merger.run(&tokens, size: size, minimumFrequency: minimumFrequency)
    let vocabulary = try Vocabulary(
      table: tokens, specialTokens: special, place: "trained vocabulary")
    return TrainedVocabulary(
      vocabulary: vocabulary, requestedSize: size, wordCount: words.counts.reduce(0, +),
      distinctWordCount: words.words.count, characterCount: alphabet.characters.count,
      droppedCharacterCount: alphabet.droppedCount, mergeCount: merges)
  }

  private func countWords(
    threads: Int, _ nextBatch: () throws -> [UInt8]?
  ) throws -> WordCounts {
    let threads = max(threads, 1)
    let splitter = TextSplitter(TextNormalizer(options))
    var parts = Array(repeating: WordCounts(), count: threads)
    while true {
      var batches: [[UInt8]] = []
      while batches.count < threads, let batch = try nextBatch() { batches.append(batch) }
      if batches.isEmpty { break }
      let ready = batches
      parts.withUnsafeMutableBufferPointer { parts in
        // Each thread has a part of its own.
        nonisolated(unsafe) let parts = parts
        DispatchQueue.concurrentPerform(iterations: ready.count) { index in
          ready[index].withUnsafeBufferPointer { parts[index].count($0, splitter) }
        }
      }
    }
    var words = parts[0]
    for part in parts.dropFirst() { words.merge(part) }
    words.finish()
    return words
  }

  /// Makes the pieces of one character, and each word a row of them.
  ///
  /// Characters that aren't in the alphabet are left out of their words, as the reference does it.
  private func addCharacters(
    of alphabet: Alphabet, _ words: WordCounts, to tokens: inout TokenTable,
    _ merger: inout PairMerger
  ) {
    var starting: [UInt32: Int32] = [:]
    var continuing: [UInt32: Int32] = [:]
    func text(_ code: UInt32) -> String { Unicode.Scalar(code).map { String($0) } ?? "" }
    for code in alphabet.characters {
      starting[code] = Int32(tokens.insert(text(code)).index)
    }
    for code in alphabet.inner {
      continuing[code] = Int32(tokens.insert("##" + text(code)).index)
    }
    var ids = GrowableBuffer<Int32>()
    for index in 0..<words.words.count {
      words.words.withBytes(index) { bytes in
        guard let base = bytes.baseAddress else { return }
        ids.count = 0
        var position = 0
        while position < bytes.count {
          let isFirst = position == 0
          let code = UTF8Bytes.decode(base, &position, bytes.count)
          if let id = isFirst ? starting[code] : continuing[code] { ids.append(id) }
        }
      }
      merger.add(ids.elements, count: words.counts[index])
    }
  }
}

/// A trained vocabulary and what it was made from.
public struct TrainedVocabulary: Sendable {
  /// The vocabulary; it may have fewer tokens than asked for when the text offers no more.
  public let vocabulary: Vocabulary
  /// How many tokens were asked for.
  public let requestedSize: Int
  /// The words of the text, each time counted.
  public let wordCount: Int64
  /// The different words of the text.
  public let distinctWordCount: Int
  /// The characters that have a piece.
  public let characterCount: Int
  /// The rarest characters, which have none.
  public let droppedCharacterCount: Int
  /// The merges that were made.
  public let mergeCount: Int
}
