import Datasets
import EncoderModel
import Foundation
import Kernels
import Metrics

/// Judges towers on the inner split: NDCG@20 of pseudo-cold items, or the loss on held-out rows.
struct TowerValidator {
  let split: InnerSplit
  let loss: TowerLoss
  let heldRows: TowerData.LabelledRows
  let userFeatures: DenseMatrix?
  let workers: Workers
  private let users: [Int32]

  init(
    split: InnerSplit, loss: TowerLoss, heldRows: TowerData.LabelledRows,
    userFeatures: DenseMatrix?, names: IDTable, workers: Workers
  ) {
    self.split = split
    self.loss = loss
    self.heldRows = heldRows
    self.userFeatures = userFeatures
    self.workers = workers
    users = split.users(split.cold, names: names, limit: 2000)
  }

  /// A value of which more is better.
  func judge(
    _ network: TowerNetwork, _ weights: ParameterStore<Float>, inputs: DenseMatrix
  ) -> Double {
    let vectors = network.itemVectors(inputs, weights: weights, workers: workers)
    let counts = split.train.columnSums()
    let rows = counts.indices.map { counts[$0] > 0 ? Int32($0) : -1 }
    guard !loss.isPointwise else { return -rowLoss(network, weights, vectors, rows) }
    let histories = split.histories.selectingRows(users)
    let scorer = TowerScorer(
      network: network, weights: weights, itemVectors: vectors, embeddingRows: rows,
      userFeatures: userFeatures?.selectingRows(users))
    let lists = TopK.rank(
      scorer, histories: histories, k: 20, candidates: split.pseudoCold, workers: workers)
    return lists.meanNDCG(users, relevant: split.cold)
  }

  private func rowLoss(
    _ network: TowerNetwork, _ weights: ParameterStore<Float>, _ vectors: DenseMatrix,
    _ embeddingRows: [Int32]
  ) -> Double {
    let scores = PairScorer(
      network: network, weights: weights, itemVectors: vectors, embeddingRows: embeddingRows,
      histories: split.train, userFeatures: userFeatures, workers: workers
    ).scores(heldRows)
    var total = 0.0
    for (score, label) in zip(scores, heldRows.labels) {
      let (s, y) = (Double(score), Double(label))
      total += loss == .mse ? (s - y) * (s - y) : max(s, 0) - s * y + log1p(exp(-abs(s)))
    }
    return total / Double(max(1, scores.count))
  }
}

/// Raw tower scores (logits or ratings) of single pairs.
struct PairScorer {
  let network: TowerNetwork
  let weights: ParameterStore<Float>
  let itemVectors: DenseMatrix
  let embeddingRows: [Int32]
  let histories: SparseMatrix
  let userFeatures: DenseMatrix?
  let workers: Workers

  func scores(_ rows: TowerData.LabelledRows) -> [Float] {
    let users = network.userVectors(
      histories: histories, itemVectors: itemVectors, embeddingRows: embeddingRows,
      features: userFeatures, weights: weights, workers: workers)
    return users.withPointer { u in
      itemVectors.withPointer { v in
        PointwiseLoss<Float>(
          network: network, loss: .bce, users: rows.users, items: rows.items, labels: []
        ).scores(users: u, items: v, weights: weights)
      }
    }
  }
}
