import Kernels

/// Gives items without behaviours the scores of their neighbours: a target's score is the mean, weighted
/// by similarity, of what its neighbours score plus 1 (the history's value) where the user has them.
///
/// All other items keep the score of the model below, EASE for example.
public struct NeighbourSpread: UserScorer {
  private let base: any UserScorer
  private let targets: [Int32]
  /// For each target the weights of its neighbours, which sum to 1: (targets, items).
  private let weights: SparseMatrix
  private let historyShare: Float

  /// Spreads the scores of `base` over the items `targets`, whose neighbours are `neighbours`, in the
  /// same order.
  public init(_ base: any UserScorer, targets: [Int32], neighbours: Neighbours) {
    precondition(
      targets.count == neighbours.lists.rowCount,
      "\(targets.count) targets with the neighbours of \(neighbours.lists.rowCount)")
    self.base = base
    self.targets = targets
    weights = neighbours.matrix(itemCount: base.itemCount, normalized: true)
    historyShare = 1
  }

  /// Spreads the scores of `base` over all items, by the stored weights of each item's neighbours,
  /// (items, items).
  ///
  /// What a neighbour in the history counts beside the base's score is `historyShare` times its value.
  public init(_ base: any UserScorer, weights: SparseMatrix, historyShare: Float = 1) {
    precondition(
      weights.rowCount == base.itemCount && weights.columnCount == base.itemCount,
      "neighbour weights (\(weights.rowCount), \(weights.columnCount)) of \(base.itemCount) items")
    self.base = base
    targets = (0..<Int32(base.itemCount)).map { $0 }
    self.weights = weights
    self.historyShare = historyShare
  }

  /// The number of items.
  public var itemCount: Int { base.itemCount }

  /// Writes the scores.
  public func score(
    _ histories: SparseMatrix, rows: Range<Int>, into scores: UnsafeMutablePointer<Float>
  ) {
    base.score(histories, rows: rows, into: scores)
    let lanes = SparseLanes.count
    let sources = ScalarBuffer<Float>(itemCount * lanes)
    let sums = ScalarBuffer<Float>(targets.count * lanes)
    histories.withView { view in
      weights.withView { weights in
        for first in stride(from: rows.lowerBound, to: rows.upperBound, by: lanes) {
          let users = first..<Swift.min(first + lanes, rows.upperBound)
          let lines = scores + (first - rows.lowerBound) * itemCount
          SparseLanes.interleave(
            sources.pointer, rows: lines, vectors: users.count, width: itemCount)
          for (lane, user) in users.enumerated() {
            for n in view.range(user) {
              sources.pointer[Int(view.columns[n]) * lanes + lane] += historyShare * view.values[n]
            }
          }
          SparseLanes.multiply(
            sums.pointer, offsets: weights.offsets, columns: weights.columns,
            values: weights.values, rows: targets.count, x: sources.pointer)
          for (n, target) in targets.enumerated() {
            for lane in 0..<users.count {
              lines[lane * itemCount + Int(target)] = sums.pointer[n * lanes + lane]
            }
          }
        }
      }
    }
  }
}
