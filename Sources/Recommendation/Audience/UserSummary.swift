import Kernels

/// What scoring needs of users, computed from their histories.
struct UserSummary {
  let recommender: Recommender
  let parts: [ScorePart]
  let histories: SparseMatrix
  let features: DenseMatrix?
  let workers: Workers

  init(
    _ recommender: Recommender, _ parts: [ScorePart], _ histories: SparseMatrix,
    _ features: DenseMatrix?, _ workers: Workers
  ) {
    self.recommender = recommender
    self.parts = parts
    self.histories = histories
    self.workers = workers
    let width = recommender.models.network.configuration.userInputs
    self.features =
      width > 0
      ? features ?? DenseMatrix(rowCount: histories.rowCount, columnCount: width) : nil
  }

  /// Mean and 1 / deviation of each part, (users, 2 * parts), as ``FusedScorer`` standardises.
  ///
  /// - Throws: `ALSError` when users can't be folded in.
  func moments() throws -> DenseMatrix {
    let scorer = try recommender.scorer(userFeatures: features, workers: workers)
    let items = scorer.itemCount
    let width = 2 * parts.count
    var result = DenseMatrix(rowCount: histories.rowCount, columnCount: width)
    result.withMutablePointer { target in
      nonisolated(unsafe) let target = target
      workers.runChunks(histories.rowCount, chunk: 16) { _, rows in
        let block = ScalarBuffer<Float>(rows.count * items)
        for (place, entry) in scorer.parts.enumerated() {
          entry.scorer.score(histories, rows: rows, into: block.pointer)
          for row in rows {
            let values = block.pointer + (row - rows.lowerBound) * items
            let (mean, scale) = scorer.moments(values, part: entry.part)
            target[row * width + 2 * place] = mean
            target[row * width + 2 * place + 1] = scale
          }
        }
      }
    }
    return result
  }

  /// Unit vectors of the user tower.
  func towerVectors() -> DenseMatrix {
    let models = recommender.models
    return models.network.userVectors(
      histories: histories, itemVectors: recommender.space.towerVectors,
      embeddingRows: models.embeddingRows(recommender.space), features: features,
      weights: models.towers, workers: workers)
  }

  /// ALS factors, where a part needs them.
  ///
  /// - Throws: `ALSError` when users can't be folded in.
  func factors() throws -> DenseMatrix? {
    guard parts.contains(.als) || parts.contains(.ridge) else { return nil }
    return try recommender.models.als.userFoldIn(workers: workers)
      .factors(histories, workers: workers)
  }

  /// 1 / length of the sums of whitened text vectors.
  func profileScales() -> [Float] {
    let vectors = recommender.space.white.normalizingRows()
    let profiles = histories.times(vectors, workers: workers)
    return (0..<profiles.rowCount).map { row in
      let squares = profiles.row(row).reduce(Float(0)) { $0 + $1 * $1 }
      return 1 / max(squares.squareRoot(), 1e-9)
    }
  }
}

/// Items as the vectors that a user's history is multiplied with.
struct ItemQueries {
  let counts: [Float]
  let towers: DenseMatrix
  let factors: DenseMatrix
  let predicted: DenseMatrix?
  /// Of the parts that are linear in the history: for each item a weight for each item of a history.
  let linear: [ScorePart: [[Float]]]

  /// `ease` has EASE's weights by the item they predict; later items have none.
  init(
    _ recommender: Recommender, _ items: [Int32], parts used: [ScorePart],
    ease columns: SparseMatrix?
  ) {
    let (space, models) = (recommender.space, recommender.models)
    counts = items.map { space.counts[Int($0)] }
    towers = space.towerVectors.selectingRows(items)
    factors = models.als.itemFactors.selectingRows(items)
    predicted =
      used.contains(.ridge)
      ? models.ridge?.predict(space.white.selectingRows(items), workers: Workers(count: 1)) : nil
    var linear: [ScorePart: [[Float]]] = [:]
    /// What a history's items add to `item` by EASE.
    func add(_ item: Int, times factor: Float, to query: inout [Float]) {
      guard let columns, item < columns.rowCount else { return }
      for n in columns.offsets[item]..<columns.offsets[item + 1] {
        query[Int(columns.columns[n])] += factor * columns.values[n]
      }
    }
    func spread(_ weights: SparseMatrix, _ item: Int, historyShare: Float = 1) -> [Float] {
      var query = [Float](repeating: 0, count: space.count)
      for n in weights.offsets[item]..<weights.offsets[item + 1] {
        let near = Int(weights.columns[n])
        add(near, times: weights.values[n], to: &query)
        query[near] += historyShare * weights.values[n]
      }
      return query
    }
    for part in used {
      linear[part] = items.compactMap { item -> [Float]? in
        let item = Int(item)
        switch part {
        case .ease:
          var query = [Float](repeating: 0, count: space.count)
          add(item, times: 1, to: &query)
          return query
        case .textSpread: return spread(space.textNeighbours, item)
        case .textKernel:
          return spread(
            space.kernelWeights, item, historyShare: ItemSpace.kernelHistoryShare)
        case .wordSpread: return spread(space.wordNeighbours, item)
        case .wordNeighbours:
          var query = [Float](repeating: 0, count: space.count)
          for n in space.wordCosines.offsets[item]..<space.wordCosines.offsets[item + 1] {
            query[Int(space.wordCosines.columns[n])] = space.wordCosines.values[n]
          }
          return query
        case .textProfile:
          return ItemQueries.cosines(space.white, item)
        case .als, .popularity, .ridge, .tower: return nil
        }
      }
    }
    self.linear = linear
  }

  private static func cosines(_ vectors: DenseMatrix, _ item: Int) -> [Float] {
    let width = vectors.columnCount
    return vectors.withPointer { base in
      let own = base + item * width
      let length = max(Float.dot(width, own, own).squareRoot(), 1e-12)
      return (0..<vectors.rowCount).map { row in
        let other = base + row * width
        let product = length * max(Float.dot(width, other, other).squareRoot(), 1e-12)
        return Float.dot(width, own, other) / product
      }
    }
  }
}

extension DenseMatrix {
  /// Overwrites some rows; rows up to `rowCount` that weren't there are zeros first.
  mutating func replaceRows(_ rows: [Int32], with newer: DenseMatrix, rowCount count: Int) {
    if count > rowCount {
      self = appending(DenseMatrix(rowCount: count - rowCount, columnCount: columnCount))
    }
    let width = columnCount
    withMutablePointer { target in
      newer.withPointer { source in
        for (n, row) in rows.enumerated() {
          (target + Int(row) * width).update(from: source + n * width, count: width)
        }
      }
    }
  }
}

extension SparseMatrix {
  /// The matrix with some rows (ascending) replaced, and empty rows up to `rowCount`.
  func replacingRows(_ rows: [Int32], with newer: SparseMatrix, rowCount count: Int) -> SparseMatrix
  {
    var replacement = [Int](repeating: -1, count: max(count, rowCount))
    for (n, row) in rows.enumerated() { replacement[Int(row)] = n }
    var offsets = [0]
    var (columns, values): ([Int32], [Float]) = ([], [])
    for row in replacement.indices {
      if replacement[row] >= 0 {
        columns += newer.columns(ofRow: replacement[row])
        values += newer.values(ofRow: replacement[row])
      } else if row < rowCount {
        columns += self.columns(ofRow: row)
        values += self.values(ofRow: row)
      }
      offsets.append(columns.count)
    }
    return SparseMatrix(
      trustedRowCount: replacement.count, columnCount: max(columnCount, newer.columnCount),
      offsets: offsets, columns: columns, values: values)
  }
}
