public import Kernels

/// How the hidden states of a text become one vector: (tokens, H) -> (sequences, H).
public enum Pooling: String, Sendable, Codable {
  /// The state of the first token, [CLS].
  case cls
  /// The mean over all tokens, [CLS] and [SEP] included.
  case mean
  /// The largest value over all tokens, dimension by dimension.
  case max

  /// Pools packed sequences.
  ///
  /// A sequence without tokens gives zeros.
  public func forward<S: KernelScalar>(
    _ y: UnsafeMutablePointer<S>, hidden: UnsafePointer<S>, batch: PackedBatch, width: Int
  ) {
    y.update(repeating: 0, count: batch.sequenceCount * width)
    forEach(batch) { sequence, start, length in
      let (row, first) = (y + sequence * width, hidden + start * width)
      switch self {
      case .cls: row.update(from: first, count: width)
      case .mean:
        for token in 0..<length { S.axpy(width, 1, first + token * width, row) }
        S.scal(width, 1 / S(length), row)
      case .max:
        row.update(from: first, count: width)
        for token in 1..<Swift.max(1, length) {
          for d in 0..<width { row[d] = Swift.max(row[d], first[token * width + d]) }
        }
      }
    }
  }

  /// Writes the gradient of the hidden states into `dHidden`.
  ///
  /// Of equal maxima the first token takes it.
  public func backward<S: KernelScalar>(
    dHidden: UnsafeMutablePointer<S>, dy: UnsafePointer<S>, hidden: UnsafePointer<S>,
    batch: PackedBatch, width: Int
  ) {
    dHidden.update(repeating: 0, count: batch.tokenCount * width)
    forEach(batch) { sequence, start, length in
      let (row, first) = (dy + sequence * width, dHidden + start * width)
      switch self {
      case .cls: first.update(from: row, count: width)
      case .mean:
        for token in 0..<length { S.axpy(width, 1 / S(length), row, first + token * width) }
      case .max:
        for d in 0..<width {
          var best = 0
          for token in 1..<Swift.max(1, length)
          where hidden[(start + token) * width + d] > hidden[(start + best) * width + d] {
            best = token
          }
          first[best * width + d] = row[d]
        }
      }
    }
  }

  private func forEach(_ batch: PackedBatch, _ body: (Int, Int, Int) -> Void) {
    for sequence in 0..<batch.sequenceCount {
      let start = Int(batch.offsets[sequence])
      let length = Int(batch.offsets[sequence + 1]) - start
      if length > 0 { body(sequence, start, length) }
    }
  }
}
