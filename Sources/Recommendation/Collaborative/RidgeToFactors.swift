public import Kernels
import RealModule

/// A regression from items' content vectors to their collaborative factors.
///
/// It places items without behaviours among the others: A. van den Oord et al., "Deep Content-Based
/// Music Recommendation", 2013, here with a linear model.
public struct RidgeToFactors: Sendable, Equatable {
  /// The regression, fitted to all warm items.
  public let regression: RidgeRegression
  /// The penalty chosen.
  public let penalty: Double
  /// The mean NDCG@20 on the held-out items that the penalty was chosen by.
  public let heldOutNDCG: Double

  /// Chooses the penalty by how well predicted factors rank items that the regression didn't see.
  ///
  /// - Parameters:
  ///   - vectors: Content vectors of the warm items, (warm, width).
  ///   - itemFactors: Their factors, (warm, factors).
  ///   - userFactors: The users' factors, (users, factors).
  ///   - histories: (users, warm) positives. They weigh an item by ln(1 + its count) + 0.001, and the
  ///     first 2,000 users with a held-out item are ranked for.
  ///   - heldOut: Which warm items choose the penalty; about a tenth.
  ///   - penalties: What is tried; of equally good ones the largest wins.
  /// - Throws: ``RidgeError``.
  public static func fit(
    vectors: DenseMatrix, itemFactors: DenseMatrix, userFactors: DenseMatrix,
    histories: SparseMatrix, heldOut: [Bool],
    penalties: [Double] = [0.1, 1, 10, 100, 1000], workers: Workers
  ) throws -> RidgeToFactors {
    let weights = histories.columnSums().map { Float(Double.log(onePlus: Double($0))) + 1e-3 }
    let held = heldOut.indices.filter { heldOut[$0] }.map { Int32($0) }
    let fitted = heldOut.indices.filter { !heldOut[$0] }.map { Int32($0) }
    guard !held.isEmpty, !fitted.isEmpty else {
      throw RidgeError.rows(fitted: fitted.count, heldOut: held.count)
    }
    let equations = try RidgeEquations(
      inputs: vectors.selectingRows(fitted), outputs: itemFactors.selectingRows(fitted),
      weights: fitted.map { weights[Int($0)] })
    let positives = histories.selectingColumns(held)
    let users = (0..<Int32(histories.rowCount))
      .filter { !positives.columns(ofRow: Int($0)).isEmpty }.prefix(2000)
    let relevant = positives.selectingRows(Array(users))
    let factors = userFactors.selectingRows(Array(users))
    var best: (ndcg: Double, penalty: Double)?
    for penalty in penalties {
      let predicted = try equations.solved(penalty: penalty)
        .predict(vectors.selectingRows(held), workers: workers)
      let ndcg = meanNDCG(factors.timesTranspose(predicted, workers: workers), relevant)
      if let current = best, (ndcg, penalty) <= current { continue }
      best = (ndcg, penalty)
    }
    guard let best else { throw RidgeError.penalty }
    let regression = try RidgeRegression.fit(
      inputs: vectors, outputs: itemFactors, weights: weights, penalty: best.penalty)
    return RidgeToFactors(
      regression: regression, penalty: best.penalty, heldOutNDCG: best.ndcg)
  }

  /// The mean over the rows of NDCG@20 with binary relevance; ties go to the lower index.
  private static func meanNDCG(_ scores: DenseMatrix, _ relevant: SparseMatrix) -> Double {
    guard relevant.rowCount > 0 else { return 0 }
    let gains = (0..<20).map { 1 / Double.log2(Double($0 + 2)) }
    var sum = 0.0
    for row in 0..<relevant.rowCount {
      let line = scores.row(row)
      let items = relevant.columns(ofRow: row)
      var gain = 0.0
      for item in items {
        let place = line.startIndex + Int(item)
        var rank = 0
        for n in line.indices where line[n] > line[place] || line[n] == line[place] && n < place {
          rank += 1
        }
        if rank < gains.count { gain += gains[rank] }
      }
      sum += gain / gains.prefix(items.count).reduce(0, +)
    }
    return sum / Double(relevant.rowCount)
  }
}
