import Datasets
public import EncoderModel
public import Tokenization

/// Dynamic masking: of the chosen pieces 80% become [MASK], 10% a random piece, 10% stay as they are;
/// the loss is on the chosen ones only.
///
/// Devlin et al. 2019, "BERT", section 3.1.
public struct MaskedLanguageModeling: Sendable {
  /// Share of pieces that are chosen, special tokens aside.
  public var rate: Double
  /// Whether all pieces of a word are chosen together.
  public var wholeWord: Bool

  /// Creates the masking rule.
  public init(rate: Double = 0.15, wholeWord: Bool = false) {
    self.rate = rate
    self.wholeWord = wholeWord
  }

  /// A batch with masked tokens, and what was under them.
  public struct MaskedBatch: Sendable {
    /// The tokens after masking.
    public var batch = PackedBatch()
    /// Positions in the packed batch at which the loss is taken, ascending.
    public var positions: [Int32] = []
    /// The original ids at those positions.
    public var targets: [Int32] = []
  }

  /// Masks sequences; the same generator state gives the same masks.
  ///
  /// Each sequence has at least one chosen piece (or word), unless it has only special tokens.
  public func mask<Text: RandomAccessCollection>(
    _ sequences: [Text], vocabulary: Vocabulary, using generator: inout SeededGenerator
  ) -> MaskedBatch where Text.Element == Int32, Text.Index == Int {
    var masked = MaskedBatch()
    for sequence in sequences {
      let start = masked.batch.tokenCount
      masked.batch.append(sequence)
      let units = units(of: sequence, vocabulary: vocabulary)
      guard !units.isEmpty else { continue }
      var chosen = units.indices.filter { _ in generator.uniform() < rate }
      if chosen.isEmpty { chosen = [generator.uniform(below: units.count)] }
      for unit in chosen {
        for index in units[unit] {
          masked.positions.append(Int32(start + index))
          masked.targets.append(sequence[index])
          replace(&masked.batch, at: start + index, vocabulary, &generator)
        }
      }
    }
    return masked
  }

  /// The maskable units of a sequence: single pieces, or a piece with its `##` continuations.
  private func units(
    of sequence: some Sequence<Int32>, vocabulary: Vocabulary
  ) -> [Range<Int>] {
    var units: [Range<Int>] = []
    for (index, id) in sequence.enumerated() where !vocabulary.isSpecial(id) {
      if wholeWord, vocabulary.isContinuation(id), let last = units.last, last.upperBound == index {
        units[units.count - 1] = last.lowerBound..<(index + 1)
      } else {
        units.append(index..<(index + 1))
      }
    }
    return units
  }

  private func replace(
    _ batch: inout PackedBatch, at index: Int, _ vocabulary: Vocabulary,
    _ generator: inout SeededGenerator
  ) {
    let draw = generator.uniform()
    if draw < 0.8 {
      batch.replace(at: index, with: vocabulary.maskID)
    } else if draw < 0.9 {
      // Random pieces are ordinary ones: a [SEP] in the middle of a text would teach nothing.
      var id: Int32
      repeat {
        id = Int32(generator.uniform(below: vocabulary.count))
      } while vocabulary.isSpecial(
        id) && vocabulary.count > 8
      batch.replace(at: index, with: id)
    }
  }
}
