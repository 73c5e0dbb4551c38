import Foundation
import Kernels

/// Standardised part scores of some validation users, kept to try many weights.
///
/// Part p's score of candidate c for user u is at `(p * users + u) * candidates + c`.
package struct ValidationScores: @unchecked Sendable {
  let parts: [ScorePart]
  let userCount: Int
  /// Catalogue indices of the candidates.
  let candidates: [Int32]
  let values: ScalarBuffer<Float>
  /// Candidate positions that are relevant, by user.
  let relevant: [[Int32]]
  /// Candidate positions that the user must not be offered, by user, ascending.
  let excluded: [[Int32]]

  /// Computes all parts for the users in blocks and keeps the candidates' columns.
  package init(
    scorer: FusedScorer, histories: SparseMatrix, candidates: [Int32], relevant: [[Int32]],
    excluded: [[Int32]], workers: Workers
  ) {
    parts = scorer.parts.map(\.part)
    userCount = histories.rowCount
    self.candidates = candidates
    self.relevant = relevant
    self.excluded = excluded
    let values = ScalarBuffer<Float>(parts.count * histories.rowCount * candidates.count)
    self.values = values
    let (users, width, items) = (histories.rowCount, candidates.count, scorer.itemCount)
    workers.runChunks(users, chunk: 16) { _, rows in
      let block = ScalarBuffer<Float>(rows.count * items)
      for (index, entry) in scorer.parts.enumerated() {
        entry.scorer.score(histories, rows: rows, into: block.pointer)
        for row in rows {
          let source = block.pointer + (row - rows.lowerBound) * items
          scorer.standardize(source, part: entry.part)
          let target = values.pointer + (index * users + row) * width
          for (n, item) in candidates.enumerated() { target[n] = source[Int(item)] }
        }
      }
    }
  }

  /// Mean NDCG@20 of the weighted sum of parts over users with something relevant.
  package func ndcg(_ weights: [Double], workers: Workers) -> Double {
    evaluate(workers: workers) { user, scores in
      scores.update(repeating: 0, count: candidates.count)
      for (index, weight) in weights.enumerated() where weight != 0 {
        Float.axpy(
          candidates.count, Float(weight),
          values.pointer + (index * userCount + user) * candidates.count, scores)
      }
    }
  }

  /// Mean NDCG@20 of whatever `fill` writes as a user's candidate scores.
  func evaluate(
    workers: Workers, _ fill: @Sendable (Int, UnsafeMutablePointer<Float>) -> Void
  ) -> Double {
    let results = ScalarBuffer<Double>(userCount)
    workers.runChunks(userCount, chunk: 8) { _, rows in
      let scores = ScalarBuffer<Float>(candidates.count)
      for user in rows {
        fill(user, scores.pointer)
        for place in excluded[user] { scores.pointer[Int(place)] = -.infinity }
        results.pointer[user] = relevant[user].isEmpty ? -1 : userNDCG(user, scores.pointer)
      }
    }
    let valid = (0..<userCount).map { results.pointer[$0] }.filter { $0 >= 0 }
    return valid.reduce(0, +) / Double(max(1, valid.count))
  }

  /// NDCG@20 from the ranks of the relevant candidates; a tie with another candidate counts as lost, so
  /// that constant scores can't look good.
  private func userNDCG(_ user: Int, _ scores: UnsafePointer<Float>) -> Double {
    let values = relevant[user].map { scores[Int($0)] }.sorted(by: >)
    var gain = 0.0
    for (place, value) in values.enumerated() {
      var notBelow = 0
      for candidate in 0..<candidates.count where scores[candidate] >= value { notBelow += 1 }
      // Equal relevant ones stand one after the other.
      let relevantNotBelow = values.reduce(0) { $0 + ($1 >= value ? 1 : 0) }
      let rank = notBelow - relevantNotBelow + place + 1
      if rank <= 20 { gain += 1 / log2(Double(rank) + 1) }
    }
    let ideal = (1...min(20, relevant[user].count)).reduce(0.0) { $0 + 1 / log2(Double($1) + 1) }
    return gain / ideal
  }
}

/// Finds non-negative weights by coordinate ascent on validation NDCG@20.
///
/// It begins with the best single part, then tries other weights of one part at a time, first in large
/// steps, then in small ones. A change must gain `margin`: parts that add only noise stay out.
package struct CoordinateAscent {
  var margin = 0.0003

  package init() {}

  package func fit(
    _ scores: ValidationScores, workers: Workers
  ) -> (weights: [Double], ndcg: Double, single: [Double]) {
    let count = scores.parts.count
    let single = (0..<count).map { part in
      scores.ndcg((0..<count).map { $0 == part ? 1 : 0 }, workers: workers)
    }
    let start = single.indices.max { (single[$0], -$0) < (single[$1], -$1) } ?? 0
    var weights = [Double](repeating: 0, count: count)
    weights[start] = 1
    var best = single[start]
    for factors in [[0, 0.15, 0.4, 1.0], [0, 0.6, 1.5], [0, 0.8, 1.25]] {
      var improved = true
      var rounds = 0
      while improved && rounds < 4 {
        improved = false
        rounds += 1
        for part in 0..<count {
          let current = weights[part]
          let options = factors.count == 4 ? factors : factors.map { $0 * current }
          for option in options where option != weights[part] {
            // One part must keep a weight, else there is no score.
            var trial = weights
            trial[part] = option
            guard trial.contains(where: { $0 > 0 }) else { continue }
            let value = scores.ndcg(trial, workers: workers)
            if value > best + margin {
              (weights, best, improved) = (trial, value, true)
            }
          }
        }
      }
    }
    return (weights, best, single)
  }
}
