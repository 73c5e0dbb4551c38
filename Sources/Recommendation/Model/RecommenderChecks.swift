import Checkpoints
import Kernels

/// What is compared before anything is computed from a directory's numbers: arithmetic on bare memory
/// trusts its sizes.
extension Recommender {
  /// The whitening, when it and the text vectors fit each other, the items and the encoder.
  static func whitening(
    _ file: SafeTensorsFile, raw: DenseMatrix, items: Int, model: PretrainedModel
  ) throws -> Whitening {
    let mean = try file.floats("whitening.mean")
    let matrix = try TensorStore.dense("whitening.matrix", file)
    try compare(
      [
        ("raw", raw.rowCount, items),
        ("raw", raw.columnCount, 2 * model.configuration.hiddenSize),
        ("whitening.mean", mean.count, raw.columnCount),
        ("whitening.matrix", matrix.rowCount, raw.columnCount),
      ], file)
    guard matrix.columnCount > 0 else {
      throw TensorStore.damaged("it has no columns", "whitening.matrix", file)
    }
    return Whitening(mean: mean, matrix: matrix)
  }

  /// The towers' sizes are those of their inputs, and small enough to be multiplied.
  static func check(
    _ tower: TowerConfiguration, _ assembly: ItemInputAssembly, items: Int, users: Int,
    _ userFeatures: DenseMatrix?, _ file: SafeTensorsFile
  ) throws {
    let sizes = [tower.hidden, tower.width]
    guard sizes.allSatisfy({ (1...65_536).contains($0) }), (0...items).contains(tower.historyItems)
    else {
      throw TensorStore.damaged(
        "the towers' sizes are impossible (hidden \(tower.hidden), width \(tower.width), history "
          + "\(tower.historyItems))", "tower", file)
    }
    try compare([("tower", tower.itemInputs, assembly.width)], file)
    if let userFeatures {
      try compare(
        [
          ("user_features", userFeatures.rowCount, users),
          ("user_features", userFeatures.columnCount, tower.userInputs),
        ], file)
    } else {
      try compare([("user_features", 0, tower.userInputs)], file)
    }
  }

  /// Throws for the first size that isn't the one that is needed.
  static func compare(
    _ facts: [(name: String, actual: Int, expected: Int)], _ file: SafeTensorsFile
  ) throws {
    for (name, actual, expected) in facts where actual != expected {
      throw TensorStore.damaged("a size is \(actual) where \(expected) is needed", name, file)
    }
  }
}
