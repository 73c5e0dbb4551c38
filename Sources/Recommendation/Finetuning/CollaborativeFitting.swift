import Datasets
import Kernels

/// Fits the collaborative models to positives.
struct CollaborativeFitter {
  let workers: Workers
  let seed: UInt64

  /// EASE's penalties that are tried: one for large catalogues, where each try costs a factorisation.
  static func penalties(items: Int) -> [Double] {
    items <= 6000 ? [50, 150, 400, 1000] : [200]
  }

  func ease(_ positives: SparseMatrix, penalty: Double) throws -> ItemWeights {
    var options = EASE.Options()
    options.penalty = penalty
    return try EASE.fit(positives, options: options, workers: workers)
  }

  /// Item factors; the users' are dropped, since users are folded in.
  func als(_ positives: SparseMatrix) throws -> (model: ImplicitALS, users: DenseMatrix) {
    var generator = SeededGenerator(seed: seed, stream: 0x414C_5300)
    var options = ImplicitALS.Options()
    let smaller = min(positives.rowCount, positives.columnCount)
    options.factorCount = max(8, min(128, smaller / 2))
    let model = try ImplicitALS.fit(
      positives, options: options, using: &generator, workers: workers)
    let empty = DenseMatrix(rowCount: 0, columnCount: model.itemFactors.columnCount)
    return (
      ImplicitALS(options: model.options, userFactors: empty, itemFactors: model.itemFactors),
      model.userFactors
    )
  }

  /// The regression from whitened text vectors to factors; nil when too few items can teach it.
  func ridge(
    _ als: ImplicitALS, users: DenseMatrix, positives: SparseMatrix, white: DenseMatrix,
    items: IDTable
  ) throws -> RidgeRegression? {
    let counts = positives.columnSums()
    let warm = counts.indices.filter { counts[$0] > 0 }.map { Int32($0) }
    guard warm.count >= 50 else { return nil }
    let heldOut = warm.map { portableHash("ridge|\(items[Int($0)])") % 10 == 0 }
    guard heldOut.contains(true), heldOut.contains(false) else { return nil }
    return try RidgeToFactors.fit(
      vectors: white.selectingRows(warm), itemFactors: als.itemFactors.selectingRows(warm),
      userFactors: users, histories: positives.selectingColumns(warm), heldOut: heldOut,
      workers: workers
    ).regression
  }

  /// The penalty with the best NDCG@20 on held-out positives.
  func choosePenalty(_ split: InnerSplit, names: IDTable) throws -> Double {
    let penalties = CollaborativeFitter.penalties(items: split.warm.count)
    guard penalties.count > 1 else { return penalties[0] }
    let users = split.users(split.held, names: names, limit: 1000)
    guard !users.isEmpty else { return penalties[penalties.count / 2] }
    let histories = split.train.selectingRows(users)
    var best = (ndcg: -1.0, penalty: penalties[0])
    for penalty in penalties {
      let model = try ease(split.train, penalty: penalty)
      let lists = TopK.rank(
        model, histories: histories, k: 20, candidates: split.warm, excluding: histories,
        workers: workers)
      let ndcg = lists.meanNDCG(users, relevant: split.held)
      if ndcg > best.ndcg { best = (ndcg, penalty) }
    }
    return best.penalty
  }
}
