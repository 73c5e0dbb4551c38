public import Kernels

/// How the hidden states of a text become one vector: (tokens, H) -> (sequences, H).
///
/// The raw values are sentence-transformers' names.
public enum Pooling: String, Sendable, Codable, CaseIterable {
  /// The state of the first token, [CLS].
  case cls
  /// The largest value over all tokens, dimension by dimension.
  case max
  /// The mean over all tokens, [CLS] and [SEP] included.
  case mean
  /// The sum over all tokens, divided by the square root of their number.
  case meanSquareRoot = "mean_sqrt_len_tokens"
  /// The mean weighted by position: 1 for the first token, 2 for the second and so on (SGPT).
  case weightedMean = "weightedmean"
  /// The state of the last token, [SEP].
  case lastToken = "lasttoken"

  /// Pools packed sequences into rows that begin every `stride` elements, H by default.
  ///
  /// The first `skipping` tokens of each sequence are left out, as those of a prompt are; positions still
  /// count from the sequence's beginning. A sequence that has no tokens left gives zeros.
  public func forward<S: KernelScalar>(
    _ y: UnsafeMutablePointer<S>, hidden: UnsafePointer<S>, batch: PackedBatch, width: Int,
    stride: Int? = nil, skipping: Int = 0
  ) {
    let stride = stride ?? width
    for sequence in 0..<batch.sequenceCount {
      (y + sequence * stride).update(repeating: 0, count: width)
    }
    forEach(batch, skipping) { sequence, start, tokens in
      let (row, states) = (y + sequence * stride, hidden + start * width)
      switch self {
      case .cls: row.update(from: states + tokens.lowerBound * width, count: width)
      case .lastToken: row.update(from: states + (tokens.upperBound - 1) * width, count: width)
      case .max:
        row.update(from: states + tokens.lowerBound * width, count: width)
        for token in tokens.dropFirst() {
          for d in 0..<width { row[d] = Swift.max(row[d], states[token * width + d]) }
        }
      case .mean, .meanSquareRoot, .weightedMean:
        for token in tokens { S.axpy(width, weight(of: token), states + token * width, row) }
        S.scal(width, 1 / total(tokens), row)
      }
    }
  }

  /// Writes the gradient of the hidden states into `dHidden`.
  ///
  /// Of equal maxima the first token takes it.
  public func backward<S: KernelScalar>(
    dHidden: UnsafeMutablePointer<S>, dy: UnsafePointer<S>, hidden: UnsafePointer<S>,
    batch: PackedBatch, width: Int, stride: Int? = nil, skipping: Int = 0
  ) {
    dHidden.update(repeating: 0, count: batch.tokenCount * width)
    let stride = stride ?? width
    forEach(batch, skipping) { sequence, start, tokens in
      let (row, slopes) = (dy + sequence * stride, dHidden + start * width)
      switch self {
      case .cls: (slopes + tokens.lowerBound * width).update(from: row, count: width)
      case .lastToken: (slopes + (tokens.upperBound - 1) * width).update(from: row, count: width)
      case .max:
        for d in 0..<width {
          var best = tokens.lowerBound
          for token in tokens
          where hidden[(start + token) * width + d] > hidden[(start + best) * width + d] {
            best = token
          }
          slopes[best * width + d] = row[d]
        }
      case .mean, .meanSquareRoot, .weightedMean:
        let total: S = total(tokens)
        for token in tokens {
          S.axpy(width, weight(of: token) / total, row, slopes + token * width)
        }
      }
    }
  }

  /// What a token's state counts in a sum.
  private func weight<S: KernelScalar>(of token: Int) -> S {
    self == .weightedMean ? S(token + 1) : 1
  }

  /// What a sum over tokens is divided by.
  private func total<S: KernelScalar>(_ tokens: Range<Int>) -> S {
    switch self {
    case .meanSquareRoot: S.sqrt(S(tokens.count))
    case .weightedMean: S((tokens.lowerBound + 1 + tokens.upperBound) * tokens.count / 2)
    default: S(tokens.count)
    }
  }

  /// Calls `body(sequence, first row, tokens)` for sequences that have tokens to pool.
  private func forEach(
    _ batch: PackedBatch, _ skipped: Int, _ body: (Int, Int, Range<Int>) -> Void
  ) {
    for sequence in 0..<batch.sequenceCount {
      let start = Int(batch.offsets[sequence])
      let length = Int(batch.offsets[sequence + 1]) - start
      if length > skipped { body(sequence, start, skipped..<length) }
    }
  }
}

/// One or more ways of pooling whose vectors stand one after the other: (tokens, H) -> (sequences, modes * H).
public struct PoolingModes: Sendable, Equatable {
  /// The modes in the order of their vectors; at least one.
  public let modes: [Pooling]

  /// Concatenates modes.
  public init(_ modes: [Pooling]) {
    precondition(!modes.isEmpty, "pooling without a mode")
    self.modes = modes
  }

  /// The first token alone.
  public static let cls = PoolingModes([.cls])
  /// The mean alone.
  public static let mean = PoolingModes([.mean])
  /// The maximum alone.
  public static let max = PoolingModes([.max])

  /// Width of the vectors for hidden states of `width`.
  public func outputWidth(_ width: Int) -> Int { modes.count * width }

  /// Pools packed sequences; `y` is (sequences, modes * `width`), see ``Pooling``.
  public func forward<S: KernelScalar>(
    _ y: UnsafeMutablePointer<S>, hidden: UnsafePointer<S>, batch: PackedBatch, width: Int,
    skipping: Int = 0
  ) {
    for (index, mode) in modes.enumerated() {
      mode.forward(
        y + index * width, hidden: hidden, batch: batch, width: width,
        stride: outputWidth(width), skipping: skipping)
    }
  }
}
