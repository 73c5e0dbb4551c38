import Datasets

/// The order in which training sequences are read: each epoch a new seeded permutation, cut into
/// batches by token count.
///
/// The position is all of its state.
public struct SequenceOrder: Sendable {
  /// Where the reading stands.
  public struct Position: Sendable, Codable, Equatable {
    /// Epochs finished.
    public var epoch = 0
    /// Sequences of the current epoch already read.
    public var consumed = 0
  }

  private let sequences: [Int32]
  private let seed: UInt64
  private var permutation: [Int32] = []
  private var permutedEpoch = -1
  /// Where the next batch begins.
  public var position = Position()

  /// Creates an order over the given sequences.
  public init(_ sequences: [Int32], seed: UInt64) {
    self.sequences = sequences
    self.seed = seed
  }

  /// Epochs read so far, with the current one's share.
  public var epochs: Double {
    Double(position.epoch) + Double(position.consumed) / Double(max(1, sequences.count))
  }

  /// The next sequences, as many as fit into `tokens` and at least one; a batch never spans epochs.
  public mutating func next(tokens: Int, length: (Int32) -> Int) -> [Int32] {
    if permutedEpoch != position.epoch {
      var generator = SeededGenerator(seed: seed, stream: UInt64(position.epoch) &+ 1)
      permutation = sequences
      permutation.shuffle(using: &generator)
      permutedEpoch = position.epoch
    }
    var batch: [Int32] = []
    var used = 0
    while position.consumed < permutation.count {
      let candidate = permutation[position.consumed]
      let size = length(candidate)
      if !batch.isEmpty && used + size > tokens { break }
      batch.append(candidate)
      used += size
      position.consumed += 1
    }
    if position.consumed == permutation.count {
      position.epoch += 1
      position.consumed = 0
    }
    return batch
  }

  /// Splits a batch between workers, longest sequences first, each to the worker with the fewest
  /// tokens so far; within a worker the order is by length, which keeps attention's blocks alike.
  public static func balance(
    _ batch: [Int32], workers: Int, length: (Int32) -> Int
  ) -> [[Int32]] {
    let sorted = batch.sorted { (-length($0), $0) < (-length($1), $1) }
    var parts = [[Int32]](repeating: [], count: workers)
    var loads = [Int](repeating: 0, count: workers)
    for sequence in sorted {
      let worker = loads.indices.min { (loads[$0], $0) < (loads[$1], $1) } ?? 0
      parts[worker].append(sequence)
      loads[worker] += length(sequence)
    }
    return parts
  }
}
