import EncoderModel
import Kernels

/// Pools the token states of a text twice, evenly and by idf: (tokens, H) -> (texts, 2H).
///
/// Each half has unit length. Rare pieces say what an item is, frequent ones how texts are written; the
/// idf-weighted half lets the former speak (SIF, Arora et al. 2017). A text whose pieces all have idf 0
/// has equal halves.
public struct TokenPooling: Sendable, Equatable {
  /// Inverse document frequency by piece id, 0 for special tokens.
  public let inverseDocumentFrequencies: [Float]

  /// Creates a pooling from stored weights.
  public init(inverseDocumentFrequencies: [Float]) {
    self.inverseDocumentFrequencies = inverseDocumentFrequencies
  }

  /// Takes the frequencies from token sequences: idf = ln((1 + n) / (1 + df)).
  public init(sequences: [[Int32]], vocabularySize: Int, isSpecial: (Int32) -> Bool) {
    var frequencies = [Int](repeating: 0, count: vocabularySize)
    var lastSeen = [Int](repeating: -1, count: vocabularySize)
    for (index, sequence) in sequences.enumerated() {
      for id in sequence where lastSeen[Int(id)] != index {
        lastSeen[Int(id)] = index
        frequencies[Int(id)] += 1
      }
    }
    let texts = Double(sequences.count)
    inverseDocumentFrequencies = frequencies.enumerated().map { id, frequency in
      isSpecial(Int32(id)) ? 0 : Float(Double.log((1 + texts) / (1 + Double(frequency))))
    }
  }

  package struct Saved {
    let weights: UnsafeMutablePointer<Float>
    let y: UnsafeMutablePointer<Float>
    let norms: UnsafeMutablePointer<Float>
  }

  /// `y` is (sequences, 2 * width), the mean half first.
  package func forward(
    _ y: UnsafeMutablePointer<Float>, hidden: UnsafePointer<Float>, batch: PackedBatch,
    width: Int, arena: Arena<Float>
  ) -> Saved {
    let texts = batch.sequenceCount
    let weights = arena.take(batch.tokenCount)
    let norms = arena.take(2 * texts)
    y.update(repeating: 0, count: texts * 2 * width)
    for text in 0..<texts {
      let (start, end) = (Int(batch.offsets[text]), Int(batch.offsets[text + 1]))
      let row = y + text * 2 * width
      let total = (start..<end).reduce(Float(0)) {
        $0 + inverseDocumentFrequencies[Int(batch.ids[$1])]
      }
      for token in start..<end {
        let even = 1 / Float(end - start)
        weights[token] =
          total > 0 ? inverseDocumentFrequencies[Int(batch.ids[token])] / total : even
        Float.axpy(width, even, hidden + token * width, row)
        Float.axpy(width, weights[token], hidden + token * width, row + width)
      }
    }
    // Both halves of a text are rows of their own to the normalisation.
    L2Normalize.forward(y: y, norm: norms, x: y, rows: 2 * texts, width: width)
    return Saved(weights: weights, y: y, norms: norms)
  }

  /// Writes the gradient of the token states; `dy` is overwritten.
  package func backward(
    dHidden: UnsafeMutablePointer<Float>, dy: UnsafeMutablePointer<Float>, saved: Saved,
    batch: PackedBatch, width: Int
  ) {
    L2Normalize.backward(
      dx: dy, accumulate: false, dy: dy, y: saved.y, norm: saved.norms,
      rows: 2 * batch.sequenceCount, width: width)
    dHidden.update(repeating: 0, count: batch.tokenCount * width)
    for text in 0..<batch.sequenceCount {
      let (start, end) = (Int(batch.offsets[text]), Int(batch.offsets[text + 1]))
      let row = dy + text * 2 * width
      for token in start..<end {
        Float.axpy(width, 1 / Float(end - start), row, dHidden + token * width)
        Float.axpy(width, saved.weights[token], row + width, dHidden + token * width)
      }
    }
  }
}
