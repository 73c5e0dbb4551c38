public import EncoderModel
import Foundation
public import Kernels

/// The encoder side of an item: token sequences -> pooled vectors, through frozen layers and adapters.
public struct ItemTextEncoder: Sendable {
  /// The encoder.
  public let encoder: TextEncoder
  /// Its frozen weights.
  public let weights: ParameterStore<Float>
  /// Adapters of the upper layers, or nil.
  public let adapters: AdapterStack<Float>?
  /// How token states become a vector.
  public let pooling: TokenPooling

  /// Creates an item encoder.
  public init(
    encoder: TextEncoder, weights: ParameterStore<Float>, adapters: AdapterStack<Float>?,
    pooling: TokenPooling
  ) {
    self.encoder = encoder
    self.weights = weights
    self.adapters = adapters
    self.pooling = pooling
  }

  /// Width of the pooled vectors.
  public var width: Int { 2 * encoder.configuration.hiddenSize }

  /// Pooled vectors of token sequences, (sequences, ``width``), in input order.
  ///
  /// Sequences of similar length share a batch; equal sequences are computed once.
  public func vectors(_ sequences: [[Int32]], workers: Workers) -> DenseMatrix {
    vectors(sequences, cache: nil, firstLayer: 0, workers: workers)
  }

  /// The same from cached states of layer `firstLayer`, for adapters above it; from the tokens without.
  package func vectors(
    _ sequences: [[Int32]], cache: HiddenStateCache?, firstLayer: Int, workers: Workers
  ) -> DenseMatrix {
    var result = DenseMatrix(rowCount: sequences.count, columnCount: width)
    let batches = ItemTextEncoder.batches(sequences, tokens: 2048)
    let (width, hiddenSize) = (width, encoder.configuration.hiddenSize)
    result.withMutablePointer { target in
      nonisolated(unsafe) let target = target
      workers.run { worker in
        let arena = Arena<Float>(capacity: 0)
        for index in stride(from: worker, to: batches.count, by: workers.count) {
          let members = batches[index]
          var batch = PackedBatch(members.map { sequences[$0.first] })
          batch.fillUp(width: hiddenSize)
          arena.reset()
          let hidden =
            cache.map { states(batch, of: members, $0, above: firstLayer, arena: arena) }
            ?? encoder.infer(batch, weights: weights, adapters: adapters, arena: arena)
          let pooled = arena.take(batch.sequenceCount * width)
          _ = pooling.forward(
            pooled, hidden: hidden, batch: batch, width: hiddenSize, arena: arena)
          for (row, member) in members.enumerated() {
            for item in member.all {
              (target + item * width).update(from: pooled + row * width, count: width)
            }
          }
        }
      }
    }
    return result
  }

  /// The last layer's states of a batch that begins with `members`, from their cached ones.
  private func states(
    _ batch: PackedBatch, of members: [Member], _ cache: HiddenStateCache, above firstLayer: Int,
    arena: Arena<Float>
  ) -> UnsafeMutablePointer<Float> {
    let hiddenSize = encoder.configuration.hiddenSize
    let states = arena.take(batch.tokenCount * hiddenSize)
    for (row, member) in members.enumerated() {
      cache.copy(member.first, to: states + Int(batch.offsets[row]) * hiddenSize)
    }
    // What only fills the batch up has no cached states.
    let filled = Int(batch.offsets[members.count])
    (states + filled * hiddenSize).update(
      repeating: 0, count: (batch.tokenCount - filled) * hiddenSize)
    return encoder.infer(
      batch, weights: weights, adapters: adapters, layers: firstLayer..<encoder.layers.count,
      hidden: states, arena: arena)
  }

  struct Member: Sendable {
    let first: Int
    let all: [Int]
  }

  /// Groups equal sequences, sorts the groups by length and cuts them into batches by token count.
  static func batches(_ sequences: [[Int32]], tokens: Int) -> [[Member]] {
    var groups: [[Int32]: Int] = [:]
    var members: [[Int]] = []
    for (index, sequence) in sequences.enumerated() {
      if let group = groups[sequence] {
        members[group].append(index)
      } else {
        groups[sequence] = members.count
        members.append([index])
      }
    }
    let sorted = members.sorted {
      (sequences[$0[0]].count, $0[0]) < (sequences[$1[0]].count, $1[0])
    }
    var batches: [[Member]] = []
    var used = Int.max
    for group in sorted {
      let length = sequences[group[0]].count
      if batches.isEmpty || used + length > tokens {
        batches.append([])
        used = 0
      }
      batches[batches.count - 1].append(Member(first: group[0], all: group))
      used += length
    }
    return batches
  }
}
