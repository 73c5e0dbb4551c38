import Datasets
import Kernels

extension Recommender {
  /// Refuses a split that the model has seen more of than its training rows.
  ///
  /// - Throws: ``EvaluationError/trainedOnColdItems(split:count:examples:)`` and
  ///   ``EvaluationError/trainedOnHeldOut(split:count:)``.
  func check(_ split: EvaluationSplit) throws {
    let counts = histories.columnSums()
    let seen = split.coldItems.filter { counts[Int($0)] > 0 }
    guard seen.isEmpty else {
      throw EvaluationError.trainedOnColdItems(
        split: split.place, count: seen.count, examples: seen.prefix(3).map { items.ids[Int($0)] })
    }
    var leaked = 0
    for user in 0..<split.users.count {
      guard let row = split.users.withBytes(of: user, { users.index(of: $0) }) else { continue }
      let known = Set(histories.columns(ofRow: row))
      leaked += split.warmPositives.columns(ofRow: user).reduce(0) {
        $0 + (known.contains($1) ? 1 : 0)
      }
    }
    guard leaked == 0 else {
      throw EvaluationError.trainedOnHeldOut(split: split.place, count: leaked)
    }
  }

  /// The features of users by their ids, (ids, width): zeros for users that training didn't have; nil
  /// where the model uses no user features.
  func features(of ids: IDTable) -> DenseMatrix? {
    let width = models.network.configuration.userInputs
    guard width > 0 else { return nil }
    var result = DenseMatrix(rowCount: ids.count, columnCount: width)
    guard let userFeatures else { return result }
    for user in 0..<ids.count {
      guard let row = ids.withBytes(of: user, { users.index(of: $0) }) else { continue }
      for column in 0..<width { result[user, column] = userFeatures[row, column] }
    }
    return result
  }

  /// The fused scorer for the split's evaluated users.
  func scorer(for split: EvaluationSplit, workers: Workers) throws -> FusedScorer {
    try scorer(
      userFeatures: features(of: split.users)?.selectingRows(split.evaluated), workers: workers)
  }
}
