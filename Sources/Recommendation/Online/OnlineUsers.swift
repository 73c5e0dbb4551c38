import EncoderModel
import Kernels

/// Histories as vectors, a row each; nil where no part needs them.
struct OnlineUserVectors {
  /// Unit vectors of the user tower, (histories, width).
  var towers: DenseMatrix?
  /// ALS factors, (histories, factors).
  var factors: DenseMatrix?
  /// Sums of unit text vectors scaled to length 1, (histories, text width), and what they were scaled by.
  var profiles: (vectors: DenseMatrix, scales: [Float])?
}

extension OnlineScoring {
  /// What the parts need of histories.
  ///
  /// Each is computed by itself: small products are rounded in another way than large ones, and a list must be the
  /// same whoever else is asked about.
  func vectors(_ histories: [OnlineHistory]) -> OnlineUserVectors {
    let parts = model.coefficients.map(\.part)
    return OnlineUserVectors(
      towers: parts.contains(.tower)
        ? DenseMatrix(
          rowCount: histories.count,
          columnCount: model.recommender.models.network.configuration.width,
          values: histories.flatMap { tower($0) }) : nil,
      factors: model.foldIn.map { foldIn in
        DenseMatrix(
          rowCount: histories.count, columnCount: foldIn.factorCount,
          values: histories.flatMap { folded(foldIn, $0) })
      }, profiles: parts.contains(.textProfile) ? profiles(histories) : nil)
  }

  /// ALS factors.
  private func folded(_ foldIn: FactorFoldIn, _ history: OnlineHistory) -> [Float] {
    let matrix = SparseMatrix(
      trustedRowCount: 1, columnCount: catalogueCount, offsets: [0, history.items.count],
      columns: history.items.map(\.item), values: history.items.map(\.weight))
    var result = [Float](repeating: 0, count: foldIn.factorCount)
    foldIn.solve(matrix, rows: 0..<1, into: &result)
    return result
  }

  /// Sums of the histories' unit text vectors, scaled to length 1, with what they were scaled by.
  private func profiles(_ histories: [OnlineHistory]) -> (vectors: DenseMatrix, scales: [Float]) {
    let width = model.white.columnCount
    var result = DenseMatrix(rowCount: histories.count, columnCount: width)
    var scales: [Float] = []
    result.withMutablePointer { rows in
      model.white.withPointer { vectors in
        for (lane, history) in histories.enumerated() {
          let row = rows + lane * width
          for entry in history.items {
            Float.axpy(width, entry.weight, vectors + Int(entry.item) * width, row)
          }
          for (item, value) in history.newItems { Float.axpy(width, value, item.white, row) }
          let scale = 1 / max(Float.dot(width, row, row).squareRoot(), 1e-9)
          Float.scal(width, scale, row)
          scales.append(scale)
        }
      }
    }
    return (result, scales)
  }

  /// The user tower's vector: the history's items are put into a small catalogue of their own.
  private func tower(_ history: OnlineHistory) -> [Float] {
    let network = model.recommender.models.network
    let space = model.recommender.space
    var vectors: [Float] = []
    var embeddings: [Int32] = []
    for entry in history.items {
      vectors.append(contentsOf: space.towerVectors.row(Int(entry.item)))
      embeddings.append(model.embeddingRows[Int(entry.item)])
    }
    for (item, _) in history.newItems {
      vectors.append(contentsOf: item.tower)
      embeddings.append(-1)
    }
    let inputs = network.configuration.userInputs
    var features: DenseMatrix?
    if inputs > 0 {
      let own = history.features.flatMap { $0.count == inputs ? $0 : nil }
      features = DenseMatrix(
        rowCount: 1, columnCount: inputs,
        values: own ?? [Float](repeating: 0, count: inputs))
    }
    return network.userVectors(
      histories: SparseMatrix(
        trustedRowCount: 1, columnCount: embeddings.count, offsets: [0, embeddings.count],
        columns: (0..<Int32(embeddings.count)).map { $0 },
        values: [Float](repeating: 1, count: embeddings.count)),
      itemVectors: DenseMatrix(
        rowCount: embeddings.count, columnCount: network.configuration.width, values: vectors),
      embeddingRows: embeddings, features: features, weights: model.recommender.models.towers,
      workers: Workers(count: 1)
    ).values
  }
}

/// What scoring an item needs of users: their vectors, and what their scores are standardised by.
struct OnlineUserSummaries: Sendable {
  /// Mean and 1 / deviation of each part's scores over the training catalogue, (users, 2 * parts).
  var moments: DenseMatrix
  /// Unit vectors of the user tower, (users, width); nil where no part needs them.
  var towers: DenseMatrix?
  /// ALS factors, (users, factors); nil where no part needs them.
  var factors: DenseMatrix?
  /// 1 / length of each user's sum of unit text vectors; empty where no part needs it.
  var profileScales: [Float]
}

extension OnlineModel {
  /// Summaries of `count` histories, sixteen at a time.
  func summaries(
    count: Int, workers: Workers, of history: @Sendable (Int) -> OnlineHistory
  ) -> OnlineUserSummaries {
    let parts = coefficients.map(\.part)
    let width = 2 * parts.count
    var moments = DenseMatrix(rowCount: count, columnCount: width)
    var towers = DenseMatrix(
      rowCount: parts.contains(.tower) ? count : 0,
      columnCount: recommender.models.network.configuration.width)
    var factors = DenseMatrix(
      rowCount: foldIn == nil ? 0 : count, columnCount: foldIn?.factorCount ?? 0)
    var scales = [Float](repeating: 1, count: parts.contains(.textProfile) ? count : 0)
    let empty = OnlineBlock([])
    moments.withMutablePointer { moments in
      towers.withMutablePointer { towers in
        factors.withMutablePointer { factors in
          scales.withUnsafeMutableBufferPointer { scales in
            nonisolated(unsafe) let (moments, towers, factors) = (moments, towers, factors)
            nonisolated(unsafe) let scales = scales
            workers.runChunks(count, chunk: SparseLanes.count) { _, rows in
              let some = rows.map(history)
              let scoring = OnlineScoring(self, empty, users: some.count)
              let vectors = scoring.vectors(some)
              scoring.score(some, vectors) { place, shift, scale in
                for (lane, row) in rows.enumerated() {
                  moments[row * width + 2 * place] = shift[lane]
                  moments[row * width + 2 * place + 1] = scale[lane]
                }
              }
              func keep(_ matrix: DenseMatrix?, _ target: UnsafeMutablePointer<Float>) {
                guard let matrix else { return }
                let start = target + rows.lowerBound * matrix.columnCount
                matrix.withPointer { start.update(from: $0, count: matrix.values.count) }
              }
              keep(vectors.towers, towers)
              keep(vectors.factors, factors)
              for (row, scale) in zip(rows, vectors.profiles?.scales ?? []) { scales[row] = scale }
            }
          }
        }
      }
    }
    return OnlineUserSummaries(
      moments: moments, towers: parts.contains(.tower) ? towers : nil,
      factors: foldIn == nil ? nil : factors, profileScales: scales)
  }
}
