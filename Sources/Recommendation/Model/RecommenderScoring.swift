import Datasets
import EncoderModel
import Foundation
public import Kernels

extension Recommender {
  /// Probabilities (or ratings, for --loss mse) of pairs.
  ///
  /// - Parameters:
  ///   - users: numbers in ``users``; -1 is a user without a history.
  ///   - items: numbers in ``items``.
  /// - Throws: `ALSError` when users can't be folded in, `SparseMatrixError` for a number out of range.
  public func scores(users chosen: [Int32], items: [Int32], workers: Workers) throws -> [Double] {
    precondition(chosen.count == items.count, "\(chosen.count) users for \(items.count) items")
    let distinct = Array(Set(chosen)).sorted()
    var place: [Int32: Int] = [:]
    for (row, user) in distinct.enumerated() { place[user] = row }
    let request = try requests(
      users: distinct.map { $0 < 0 ? Int32.max : $0 }, names: [], newer: [])
    if options.towers.loss.isPointwise {
      var rows = TowerData.LabelledRows()
      rows.users = chosen.map { Int32(place[$0] ?? 0) }
      rows.items = items
      let raw = PairScorer(
        network: models.network, weights: models.towers, itemVectors: space.towerVectors,
        embeddingRows: models.embeddingRows(space), histories: request.histories,
        userFeatures: request.features, workers: workers
      ).scores(rows)
      return raw.map {
        options.towers.loss == .mse ? Double($0) : calibration.probability(Double($0))
      }
    }
    var features = request.features
    let width = models.network.configuration.userInputs
    if width > 0 && features == nil {
      features = DenseMatrix(rowCount: distinct.count, columnCount: width)
    }
    var byUser = [[Int]](repeating: [], count: distinct.count)
    for (pair, user) in chosen.enumerated() { byUser[place[user] ?? 0].append(pair) }
    let pairsOfUser = byUser
    let fused = try scorer(userFeatures: features, workers: workers)
    let result = ScalarBuffer<Double>(chosen.count)
    workers.runChunks(distinct.count, chunk: 16) { _, rows in
      let block = ScalarBuffer<Float>(rows.count * space.count)
      fused.score(request.histories, rows: rows, into: block.pointer)
      for row in rows {
        let line = block.pointer + (row - rows.lowerBound) * space.count
        for pair in pairsOfUser[row] {
          result.pointer[pair] = calibration.probability(Double(line[Int(items[pair])]))
        }
      }
    }
    return (0..<chosen.count).map { result.pointer[$0] }
  }
}
