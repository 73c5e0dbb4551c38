import Kernels

/// Takes fused scores of one user apart, and looks at them without one item of the history.
struct ScoreBreakdown {
  private let recommender: Recommender
  private let scorer: FusedScorer
  /// Items of the history, each of which one row of `histories` leaves out.
  private let left: [Int32]
  /// The whole history, and behind it one row for each of `left`.
  private let histories: SparseMatrix

  /// Prepares one scorer for the history and those that are an item shorter: what it learns of the catalogue
  /// is needed once.
  ///
  /// - Parameters:
  ///   - history: one row.
  ///   - features: one row, or nil.
  ///   - left: items of the history, each once.
  /// - Throws: `ALSError` when users can't be folded in.
  init(
    _ recommender: Recommender, history: SparseMatrix, features: DenseMatrix?,
    without left: [Int32],
    workers: Workers
  ) throws {
    self.recommender = recommender
    self.left = left
    let (columns, values) = (history.columns, history.values)
    var entries = columns.indices.map {
      SparseMatrix.Entry(row: 0, column: columns[$0], value: values[$0])
    }
    for (n, removed) in left.enumerated() {
      for place in columns.indices where columns[place] != removed {
        entries.append(
          SparseMatrix.Entry(row: Int32(n + 1), column: columns[place], value: values[place]))
      }
    }
    histories = try SparseMatrix(
      rowCount: left.count + 1, columnCount: history.columnCount, entries: entries)
    scorer = try recommender.scorer(
      userFeatures: features?.selectingRows([Int32](repeating: 0, count: left.count + 1)),
      workers: workers)
  }

  /// A fused score and its summands.
  struct Sum {
    let score: Float
    let parts: [Explanation.Part]
    let shift: Float
  }

  /// The summands of some items' scores for the whole history.
  func parts(_ items: [Int32]) -> [Sum] {
    let fusion = recommender.fusion
    var found = [[Explanation.Part]](repeating: [], count: items.count)
    let line = ScalarBuffer<Float>(scorer.itemCount)
    for entry in scorer.parts {
      entry.scorer.score(histories, rows: 0..<1, into: line.pointer)
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
  ///   - reasons: for each of `items` the items of the history that are left out, one at a time; those that
  ///     weren't prepared for have no effect.
  ///   - full: the scores with the whole history.
  func effects(_ items: [Int32], of reasons: [[Int32]], full: [Float]) -> [[Float]] {
    var row: [Int32: Int] = [:]
    for (n, item) in left.enumerated() { row[item] = n + 1 }
    var result = reasons.map { [Float](repeating: 0, count: $0.count) }
    // In blocks: a score of every item for every shortened history would be large.
    for start in stride(from: 1, to: histories.rowCount, by: 16) {
      let rows = start..<min(start + 16, histories.rowCount)
      let block = ScalarBuffer<Float>(rows.count * scorer.itemCount)
      scorer.score(histories, rows: rows, into: block.pointer)
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
