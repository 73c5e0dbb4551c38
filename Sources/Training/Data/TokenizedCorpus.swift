import Datasets
import Foundation
public import Tokenization

/// A corpus as token ids: training sequences, held-out validation sequences, and piece statistics.
///
/// Ids, and where sequences begin, are in mapped files; memory takes 4 bytes a sequence.
public final class TokenizedCorpus: Sendable {
  private let tokens: MappedList<Int32>
  /// Where each sequence begins in `tokens`, and the end.
  private let starts: MappedList<Int>
  /// Sequences for training, in corpus order.
  public let training: [Int32]
  /// Held-out sequences; identical texts are never on both sides.
  public let validation: [Int32]
  /// Number of texts read, blank ones not counted.
  public let textCount: Int
  /// Occurrences of each piece in the training sequences, special tokens not counted.
  public let pieceCounts: [Int]
  /// Number of training sequences in which each piece occurs.
  public let documentFrequencies: [Int]
  /// The tokenizer that made the ids.
  public let tokenizer: Tokenizer

  /// The ids of a sequence, [CLS] and [SEP] included.
  public func sequence(_ index: Int32) -> UnsafeBufferPointer<Int32> {
    tokens[starts[Int(index)]..<starts[Int(index) + 1]]
  }

  /// Number of ids in a sequence.
  public func length(_ index: Int32) -> Int { starts[Int(index) + 1] - starts[Int(index)] }

  /// Identifies the corpus: equal for the same texts in the same order, the same ids and windows.
  public let fingerprint: UInt64

  /// Tokens of all training sequences, special tokens included.
  public var trainingTokenCount: Int { training.reduce(0) { $0 + length($1) } }

  init(
    tokens: MappedList<Int32>, starts: MappedList<Int>, textHashes: MappedList<UInt64>,
    textCount: Int, tokenizer: Tokenizer
  ) {
    self.tokens = tokens
    self.starts = starts
    self.textCount = textCount
    self.tokenizer = tokenizer
    let hashes = textHashes[0..<textHashes.count]
    let heldOut = TokenizedCorpus.validationThreshold(hashes, starts)
    var (training, validation): ([Int32], [Int32]) = ([], [])
    training.reserveCapacity(hashes.count)
    for (index, hash) in hashes.enumerated() {
      if hash < heldOut { validation.append(Int32(index)) } else { training.append(Int32(index)) }
    }
    self.training = training
    self.validation = validation
    fingerprint = TokenizedCorpus.fingerprint(tokens, hashes, tokenizer.vocabulary)
    (pieceCounts, documentFrequencies) = TokenizedCorpus.statistics(
      tokens, starts, training, tokenizer.vocabulary)
  }

  /// At most 5% of the sequences and 20,480 tokens are held out, those whose text's hash is least; a
  /// corpus of fewer than 20 sequences keeps all for training.
  private static func validationThreshold(
    _ hashes: UnsafeBufferPointer<UInt64>, _ starts: MappedList<Int>
  ) -> UInt64 {
    // No sequence has fewer than three tokens, so that these are more than can be held out.
    let enough = 20_480 / 3 + 2
    var least: [(hash: UInt64, index: Int)] = []
    var bound = UInt64.max
    func prune() {
      least.sort { $0 < $1 }
      least.removeLast(max(0, least.count - enough))
      if least.count == enough { bound = least[enough - 1].hash }
    }
    for (index, hash) in hashes.enumerated() where hash <= bound {
      least.append((hash, index))
      if least.count == 4 * enough { prune() }
    }
    prune()
    let limit = hashes.count / 20
    var tokens = 0
    for (taken, entry) in least.enumerated() {
      tokens += starts[entry.index + 1] - starts[entry.index]
      if taken >= limit || tokens > 20_480 { return entry.hash }
    }
    return 0
  }

  /// FNV-1a's scheme over whole words: each text's hash, each id, and the size of the vocabulary.
  private static func fingerprint(
    _ tokens: MappedList<Int32>, _ textHashes: UnsafeBufferPointer<UInt64>,
    _ vocabulary: Vocabulary
  ) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func mix(_ word: UInt64) { hash = (hash ^ word) &* 0x100_0000_01B3 }
    mix(UInt64(vocabulary.count))
    for text in textHashes { mix(text) }
    for id in tokens[0..<tokens.count] { mix(UInt64(UInt32(bitPattern: id))) }
    return splitMix64Finalizer(hash)
  }

  private static func statistics(
    _ tokens: MappedList<Int32>, _ starts: MappedList<Int>, _ training: [Int32],
    _ vocabulary: Vocabulary
  ) -> ([Int], [Int]) {
    var counts = [Int](repeating: 0, count: vocabulary.count)
    var frequencies = counts
    var lastSeen = [Int32](repeating: -1, count: vocabulary.count)
    let special = (0..<vocabulary.count).map { vocabulary.isSpecial(Int32($0)) }
    for index in training {
      for id in tokens[starts[Int(index)]..<starts[Int(index) + 1]] where !special[Int(id)] {
        counts[Int(id)] += 1
        if lastSeen[Int(id)] != index {
          lastSeen[Int(id)] = index
          frequencies[Int(id)] += 1
        }
      }
    }
    return (counts, frequencies)
  }
}

/// Builds a ``TokenizedCorpus`` from batches of texts.
public struct TokenizedCorpusBuilder {
  private let tokenizer: Tokenizer
  private let maximumLength: Int
  private let threads: Int
  private let tokens: MappedList<Int32>
  private let starts: MappedList<Int>
  private let hashes: MappedList<UInt64>
  private var textCount = 0

  /// Creates a builder; texts longer than `maximumLength` tokens become several sequences.
  public init(tokenizer: Tokenizer, maximumLength: Int, threads: Int) throws {
    self.tokenizer = tokenizer
    self.maximumLength = maximumLength
    self.threads = threads
    let folder = FileManager.default.temporaryDirectory
    tokens = try MappedList(directory: folder)
    starts = try MappedList(directory: folder)
    hashes = try MappedList(directory: folder)
    try starts.append(0)
  }

  /// Tokenises and stores some texts; blank ones are left out.
  public mutating func append(_ texts: [String]) throws {
    let encoded = tokenizer.encodeBatch(texts, addSpecialTokens: false, threads: threads)
    let vocabulary = tokenizer.vocabulary
    for (text, ids) in zip(texts, encoded) where !ids.isEmpty {
      textCount += 1
      let hash = portableHash(text)
      for start in stride(from: 0, to: ids.count, by: maximumLength - 2) {
        let window = ids[start..<min(start + maximumLength - 2, ids.count)]
        try tokens.append(vocabulary.classID)
        try tokens.append(window)
        try tokens.append(vocabulary.separatorID)
        try starts.append(tokens.count)
        try hashes.append(hash)
      }
    }
  }

  /// Ends the input.
  ///
  /// - Throws: ``TrainingError`` when no text had a token.
  public func finish(source: String) throws -> TokenizedCorpus {
    guard textCount > 0 else {
      throw TrainingError(
        "the corpus has no text: \(source); give a file with one text a line, or name the column "
          + "with --text-column")
    }
    try tokens.map()
    try starts.map()
    try hashes.map()
    return TokenizedCorpus(
      tokens: tokens, starts: starts, textHashes: hashes, textCount: textCount,
      tokenizer: tokenizer)
  }
}
