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
    let sources = ScalarBuffer<Float>(itemCount)
    histories.withView { view in
      weights.withView { weights in
        for row in rows {
          let line = scores + (row - rows.lowerBound) * itemCount
          sources.pointer.update(from: line, count: itemCount)
          for n in view.range(row) {
            sources.pointer[Int(view.columns[n])] += historyShare * view.values[n]
          }
          for (n, target) in targets.enumerated() {
            var sum: Float = 0
            for w in weights.range(n) {
              sum += weights.values[w] * sources.pointer[Int(weights.columns[w])]
            }
            line[Int(target)] = sum
          }
        }
      }
    }
  }
}
