import Kernels

/// Scores every catalogue item for users by the fusion of its parts.
///
/// Standardisation looks at the items of the training catalogue only, the first ``referenceCount``
/// ones: adding new items changes no score of another item.
public struct FusedScorer: UserScorer {
  /// The weights.
  public let weights: FusionWeights
  /// The parts' scorers; each covers the same items.
  public let parts: [(part: ScorePart, scorer: any UserScorer)]
  /// Behaviours of each item in training, 0 for new ones.
  public let counts: [Float]
  /// Items over which scores are standardised.
  public let referenceCount: Int

  /// Creates a fused scorer from the parts that have a weight.
  public init(
    weights: FusionWeights, parts: [(part: ScorePart, scorer: any UserScorer)], counts: [Float],
    referenceCount: Int
  ) {
    self.weights = weights
    self.parts = parts
    self.counts = counts
    self.referenceCount = referenceCount
  }

  /// The number of items.
  public var itemCount: Int { counts.count }

  /// Writes the scores.
  public func score(
    _ histories: SparseMatrix, rows: Range<Int>, into scores: UnsafeMutablePointer<Float>
  ) {
    let total = rows.count * itemCount
    let part = ScalarBuffer<Float>(total)
    let cold = ScalarBuffer<Float>(total)
    let warm = scores
    cold.pointer.initialize(repeating: 0, count: total)
    warm.update(repeating: 0, count: total)
    for (name, scorer) in parts {
      scorer.score(histories, rows: rows, into: part.pointer)
      for row in 0..<rows.count {
        let values = part.pointer + row * itemCount
        standardize(values, part: name)
        if let weight = weights.cold[name], weight != 0 {
          Float.axpy(itemCount, Float(weight), values, cold.pointer + row * itemCount)
        }
        if let weight = weights.warm[name], weight != 0 {
          Float.axpy(itemCount, Float(weight), values, warm + row * itemCount)
        }
      }
    }
    let (scale, shift) = (Float(weights.coldScale), Float(weights.coldShift))
    for row in 0..<rows.count {
      let (w, c) = (warm + row * itemCount, cold.pointer + row * itemCount)
      for item in 0..<itemCount {
        let gate = weights.gate(counts[item])
        w[item] = gate * w[item] + (1 - gate) * (scale * c[item] + shift)
      }
    }
  }

  /// Subtracts the mean and divides by the standard deviation of the reference items; parts that
  /// say nothing of new items look at items with behaviours alone.
  ///
  /// A constant row becomes zeros.
  func standardize(_ values: UnsafeMutablePointer<Float>, part: ScorePart) {
    let (mean, scale) = moments(values, part: part)
    for item in 0..<itemCount { values[item] = (values[item] - mean) * scale }
  }

  /// What standardisation subtracts, and then multiplies with.
  func moments(_ values: UnsafePointer<Float>, part: ScorePart) -> (mean: Float, scale: Float) {
    var (sum, squares, n) = (0.0, 0.0, 0.0)
    for item in 0..<referenceCount where part.scoresNewItems || counts[item] > 0 {
      let value = Double(values[item])
      sum += value
      squares += value * value
      n += 1
    }
    let mean = n > 0 ? sum / n : 0
    let variance = n > 0 ? max(0, squares / n - mean * mean) : 0
    return (Float(mean), variance > 1e-18 ? Float(1 / variance.squareRoot()) : 0)
  }
}
