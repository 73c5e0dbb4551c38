import Datasets

/// Cuts a text in two at a random piece: crops of one text that have no piece's place in common.
///
/// After Gao and Callan 2022, "Unsupervised Corpus Aware Language Model Pre-training for Dense Passage Retrieval", whose
/// crops are spans of one document; here they don't overlap, so that equal words alone don't give a pair away.
public struct TextCrops: Sendable {
  /// Texts with fewer pieces, [CLS] and [SEP] aside, stay whole and have no partner.
  public var minimumPieces: Int

  /// Creates the rule.
  public init(minimumPieces: Int = 16) { self.minimumPieces = minimumPieces }

  /// What became of some texts.
  public struct Cut: Sendable {
    /// Crops and whole texts, each with [CLS] and [SEP]; the crops of a text stand side by side.
    public var sequences: [[Int32]] = []
    /// The first sequence of each pair of crops; its partner is the next one.
    public var pairs: [Int32] = []
  }

  /// Cuts sequences that begin with [CLS] and end with [SEP]; neither crop has less than a quarter of the pieces.
  ///
  /// The same generator state gives the same crops.
  public func cut(
    _ sequences: [UnsafeBufferPointer<Int32>], using generator: inout SeededGenerator
  ) -> Cut {
    var cut = Cut()
    for sequence in sequences {
      let pieces = sequence.count - 2
      guard pieces >= max(4, minimumPieces), let first = sequence.first, let last = sequence.last
      else {
        cut.sequences.append(Array(sequence))
        continue
      }
      let least = pieces / 4
      let place = 1 + least + generator.uniform(below: pieces - 2 * least + 1)
      cut.pairs.append(Int32(cut.sequences.count))
      cut.sequences.append(Array(sequence[..<place]) + [last])
      cut.sequences.append([first] + sequence[place...])
    }
    return cut
  }
}
