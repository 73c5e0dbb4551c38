import EncoderModel
import Kernels

/// What parts make of histories: a row each.
extension OnlineScoring {
  private func matrix(_ histories: [OnlineHistory]) -> SparseMatrix {
    var offsets = [0]
    var columns: [Int32] = []
    var values: [Float] = []
    for history in histories {
      for entry in history.items {
        columns.append(entry.item)
        values.append(entry.weight)
      }
      offsets.append(columns.count)
    }
    return SparseMatrix(
      trustedRowCount: histories.count, columnCount: catalogueCount, offsets: offsets,
      columns: columns, values: values)
  }

  /// ALS factors, (histories, factors).
  func folded(_ foldIn: FactorFoldIn, _ histories: [OnlineHistory]) -> DenseMatrix {
    var result = DenseMatrix(rowCount: histories.count, columnCount: foldIn.factorCount)
    result.withMutablePointer {
      foldIn.solve(matrix(histories), rows: 0..<histories.count, into: $0)
    }
    return result
  }

  /// Sums of the histories' unit text vectors, scaled to length 1, with what they were scaled by.
  func profiles(_ histories: [OnlineHistory]) -> (vectors: DenseMatrix, scales: [Float]) {
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

  /// The user tower's vectors: the histories' items are put into a small catalogue of their own.
  func users(_ histories: [OnlineHistory]) -> DenseMatrix {
    let network = model.recommender.models.network
    let space = model.recommender.space
    let width = network.configuration.width
    var vectors: [Float] = []
    var embeddings: [Int32] = []
    var offsets = [0]
    for history in histories {
      for entry in history.items {
        vectors.append(contentsOf: space.towerVectors.row(Int(entry.item)))
        embeddings.append(model.embeddingRows[Int(entry.item)])
      }
      for (item, _) in history.newItems {
        vectors.append(contentsOf: item.tower)
        embeddings.append(-1)
      }
      offsets.append(embeddings.count)
    }
    let entries = SparseMatrix(
      trustedRowCount: histories.count, columnCount: embeddings.count, offsets: offsets,
      columns: (0..<Int32(embeddings.count)).map { $0 },
      values: [Float](repeating: 1, count: embeddings.count))
    let inputs = network.configuration.userInputs
    var features: DenseMatrix?
    if inputs > 0 {
      var rows = DenseMatrix(rowCount: histories.count, columnCount: inputs)
      for (row, history) in histories.enumerated() {
        guard let own = history.features, own.count == inputs else { continue }
        for d in 0..<inputs { rows[row, d] = own[d] }
      }
      features = rows
    }
    return network.userVectors(
      histories: entries,
      itemVectors: DenseMatrix(
        rowCount: embeddings.count, columnCount: width, values: vectors),
      embeddingRows: embeddings, features: features, weights: model.recommender.models.towers,
      workers: Workers(count: 1))
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
              scoring.score(some) { place, shift, scale in
                for (lane, row) in rows.enumerated() {
                  moments[row * width + 2 * place] = shift[lane]
                  moments[row * width + 2 * place + 1] = scale[lane]
                }
              }
              func keep(_ matrix: DenseMatrix, _ target: UnsafeMutablePointer<Float>) {
                let start = target + rows.lowerBound * matrix.columnCount
                matrix.withPointer { start.update(from: $0, count: matrix.values.count) }
              }
              if parts.contains(.tower) { keep(scoring.users(some), towers) }
              if let foldIn { keep(scoring.folded(foldIn, some), factors) }
              if parts.contains(.textProfile) {
                for (row, scale) in zip(rows, scoring.profiles(some).scales) { scales[row] = scale }
              }
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
