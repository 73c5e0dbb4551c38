public import EncoderModel
import Foundation
public import Kernels
import Tokenization

/// What the bag-of-words head must predict: the distinct pieces of a text, weighted by idf.
public struct BagOfWordsTargets: Sendable {
  /// idf = ln((1 + n) / (1 + df)) by piece; 0 for special tokens.
  public let inverseDocumentFrequencies: [Float]

  /// Takes the weights from a corpus.
  public init(_ corpus: TokenizedCorpus) {
    let texts = Double(corpus.training.count)
    let vocabulary = corpus.tokenizer.vocabulary
    inverseDocumentFrequencies = corpus.documentFrequencies.enumerated().map { id, frequency in
      vocabulary.isSpecial(Int32(id)) ? 0 : Float(log((1 + texts) / (1 + Double(frequency))))
    }
  }

  /// Targets of some texts; a text of special tokens only has an empty row and adds no loss.
  public func targets(_ sequences: [some Sequence<Int32>]) -> BagOfWordsHead.Targets<Float> {
    var targets = BagOfWordsHead.Targets<Float>()
    for sequence in sequences {
      let pieces = Set(sequence).sorted().filter { inverseDocumentFrequencies[Int($0)] > 0 }
      let total = pieces.reduce(Float(0)) { $0 + inverseDocumentFrequencies[Int($1)] }
      for piece in pieces {
        targets.columns.append(piece)
        targets.weights.append(inverseDocumentFrequencies[Int(piece)] / total)
      }
      targets.offsets.append(Int32(targets.columns.count))
    }
    return targets
  }
}
