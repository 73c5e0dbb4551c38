import Kernels

/// Takes fused scores apart, and looks at them without one item of the history.
struct ScoreBreakdown {
  let recommender: Recommender
  let workers: Workers

  init(_ recommender: Recommender, workers: Workers) {
    self.recommender = recommender
    self.workers = workers
  }

  /// A fused score and its summands.
  struct Sum {
    let score: Float
    let parts: [Explanation.Part]
    let shift: Float
  }

  /// The summands of some items' scores for a history of one row.
  ///
  /// - Throws: `ALSError` when users can't be folded in.
  func parts(_ items: [Int32], history: SparseMatrix, features: DenseMatrix?) throws -> [Sum] {
    let scorer = try recommender.scorer(userFeatures: features, workers: workers)
    let fusion = recommender.fusion
    var found = [[Explanation.Part]](repeating: [], count: items.count)
    let line = ScalarBuffer<Float>(scorer.itemCount)
    for entry in scorer.parts {
      entry.scorer.score(history, rows: 0..<1, into: line.pointer)
      scorer.standardize(line.pointer, part: entry.part)
      for (n, item) in items.enumerated() {
        let gate = fusion.gate(recommender.space.counts[Int(item)])
        let weight =
          gate * Float(fusion.warm[entry.part] ?? 0)
          + (1 - gate) * Float(fusion.coldScale) * Float(fusion.cold[entry.part] ?? 0)
        let score = line.pointer[Int(item)]
        found[n].append(
          .init(part: entry.part, weight: weight, score: score, contribution: weight * score))
      }
    }
    return items.enumerated().map { n, item in
      let gate = fusion.gate(recommender.space.counts[Int(item)])
      let shift = (1 - gate) * Float(fusion.coldShift)
      let parts = found[n].filter { $0.weight != 0 }
      return Sum(
        score: parts.reduce(shift) { $0 + $1.contribution },
        parts: parts.sorted {
          (abs($1.contribution), $0.part) < (abs($0.contribution), $1.part)
        }, shift: shift)
    }
  }

  /// By how much an item's score falls when an item is taken out of the history.
  ///
  /// - Parameters:
  ///   - reasons: for each of `items` the items of the history that are left out, one at a time.
  ///   - full: the scores with the whole history.
  /// - Throws: `ALSError` when users can't be folded in.
  func effects(
    _ items: [Int32], of reasons: [[Int32]], history: SparseMatrix, features: DenseMatrix?,
    full: [Float]
  ) throws -> [[Float]] {
    let left = Array(Set(reasons.flatMap { $0 })).sorted()
    guard !left.isEmpty else { return reasons.map { _ in [] } }
    var row: [Int32: Int] = [:]
    for (n, item) in left.enumerated() { row[item] = n }
    let (columns, values) = (history.columns, history.values)
    let entries = left.enumerated().flatMap { n, removed in
      columns.indices.filter { columns[$0] != removed }.map {
        SparseMatrix.Entry(row: Int32(n), column: columns[$0], value: values[$0])
      }
    }
    let shorter = try SparseMatrix(
      rowCount: left.count, columnCount: history.columnCount, entries: entries)
    let scorer = try recommender.scorer(
      userFeatures: features?.selectingRows([Int32](repeating: 0, count: left.count)),
      workers: workers)
    var result = reasons.map { [Float](repeating: 0, count: $0.count) }
    // In blocks: a score of every item for every shortened history would be large.
    for start in stride(from: 0, to: left.count, by: 16) {
      let rows = start..<min(start + 16, left.count)
      let block = ScalarBuffer<Float>(rows.count * scorer.itemCount)
      scorer.score(shorter, rows: rows, into: block.pointer)
      for (n, item) in items.enumerated() {
        for (place, removed) in reasons[n].enumerated() {
          guard let at = row[removed], rows.contains(at) else { continue }
          let without = block.pointer[(at - start) * scorer.itemCount + Int(item)]
          result[n][place] = full[n] - without
        }
      }
    }
    return result
  }
}
