import EncoderModel
public import Kernels

/// Scores items by the cosine of tower vectors.
public struct TowerScorer: UserScorer {
  private let network: TowerNetwork
  private let weights: ParameterStore<Float>
  private let itemVectors: DenseMatrix
  private let embeddingRows: [Int32]
  private let userFeatures: DenseMatrix?

  /// Creates a scorer; row n of `userFeatures` belongs to row n of the histories that are scored.
  public init(
    network: TowerNetwork, weights: ParameterStore<Float>, itemVectors: DenseMatrix,
    embeddingRows: [Int32], userFeatures: DenseMatrix?
  ) {
    self.network = network
    self.weights = weights
    self.itemVectors = itemVectors
    self.embeddingRows = embeddingRows
    self.userFeatures = userFeatures
  }

  /// The number of items.
  public var itemCount: Int { itemVectors.rowCount }

  /// Writes the scores.
  public func score(
    _ histories: SparseMatrix, rows: Range<Int>, into scores: UnsafeMutablePointer<Float>
  ) {
    let selected = histories.selectingRows(rows.map { Int32($0) })
    let users = network.userVectors(
      histories: selected, itemVectors: itemVectors, embeddingRows: embeddingRows,
      features: userFeatures.map { $0.selectingRows(rows.map { Int32($0) }) }, weights: weights,
      workers: Workers(count: 1))
    let d = network.configuration.width
    users.withPointer { u in
      itemVectors.withPointer { v in
        Float.gemm(
          transposeA: false, transposeB: true, m: rows.count, n: itemCount, k: d, alpha: 1, a: u,
          lda: d, b: v, ldb: d, beta: 0, c: scores, ldc: itemCount)
      }
    }
  }
}
