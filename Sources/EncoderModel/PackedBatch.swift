/// Token sequences of different lengths laid end to end, without padding.
public struct PackedBatch: Sendable {
  /// Token ids of all sequences, (tokens).
  public private(set) var ids: [Int32] = []
  /// Position of each token inside its sequence, from 0.
  public private(set) var positions: [Int32] = []
  /// Token type of each token; `nil` when all are 0.
  public private(set) var typeIDs: [Int32]?
  /// Where each sequence begins, and the end: (sequences + 1), first 0.
  public private(set) var offsets: [Int32] = [0]

  /// Creates an empty batch.
  public init() {}

  /// Creates a batch of the given sequences.
  public init(_ sequences: [[Int32]]) {
    for sequence in sequences { append(sequence) }
  }

  /// Appends one sequence; `typeIDs`, where given, is as long as `ids`.
  public mutating func append(_ sequence: some Collection<Int32>, typeIDs types: [Int32]? = nil) {
    if let types {
      precondition(types.count == sequence.count, "\(types.count) types for \(sequence.count) ids")
      if typeIDs == nil { typeIDs = [Int32](repeating: 0, count: ids.count) }
      typeIDs?.append(contentsOf: types)
    } else if typeIDs != nil {
      typeIDs?.append(contentsOf: repeatElement(0, count: sequence.count))
    }
    positions.append(contentsOf: 0..<Int32(sequence.count))
    ids.append(contentsOf: sequence)
    offsets.append(Int32(ids.count))
  }

  /// Removes all sequences but keeps the memory.
  public mutating func removeAll() {
    ids.removeAll(keepingCapacity: true)
    positions.removeAll(keepingCapacity: true)
    typeIDs = nil
    offsets.removeAll(keepingCapacity: true)
    offsets.append(0)
  }

  /// Replaces one token, as masking does.
  public mutating func replace(at index: Int, with id: Int32) { ids[index] = id }

  /// Number of tokens.
  public var tokenCount: Int { ids.count }
  /// Number of sequences.
  public var sequenceCount: Int { offsets.count - 1 }
  /// Length of the longest sequence.
  public var longestSequence: Int {
    (0..<sequenceCount).reduce(0) { max($0, Int(offsets[$1 + 1] - offsets[$1])) }
  }
}
