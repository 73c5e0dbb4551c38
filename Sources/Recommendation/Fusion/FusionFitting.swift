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
  /// The group of each candidate, below ``groupCount``; empty for one group.
  let groups: [UInt8]

  /// Groups of items that are told apart.
  package static let groupCount = 10

  /// Computes all parts for the users in blocks and keeps the candidates' columns.
  package init(
    scorer: FusedScorer, histories: SparseMatrix, candidates: [Int32], relevant: [[Int32]],
    excluded: [[Int32]], groups: [UInt8] = [], workers: Workers
  ) {
    self.groups = groups
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

  /// What weights are worth.
  package struct Worth {
    /// Mean NDCG@20 over users with something relevant.
    package var ndcg: Double
    /// For each group of items the share of NDCG@20 that it could have given and gave.
    ///
    /// The gains of NDCG add up over a user's relevant items, so that they can be told by item.
    package var groups: [Double]

    package init(ndcg: Double, groups: [Double]) { (self.ndcg, self.groups) = (ndcg, groups) }

    /// The mean over the groups.
    ///
    /// A few popular items make up much of NDCG@20; here the group of such an item counts once.
    var mean: Double { groups.reduce(0, +) / Double(max(1, groups.count)) }

    /// Whether it is better by more than `margin` and by more than chance gives, which items happened
    /// to be looked at: the mean difference is above its standard error over the groups.
    package func isBetter(than other: Worth, margin: Double) -> Bool {
      let differences = zip(groups, other.groups).map { $0 - $1 }
      let count = Double(differences.count)
      let mean = differences.reduce(0, +) / count
      guard mean > margin else { return false }
      guard differences.count > 1 else { return true }
      let variance =
        differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
      return mean > (variance / count).squareRoot()
    }
  }

  /// Mean NDCG@20 of the weighted sum of parts over users with something relevant.
  package func ndcg(_ weights: [Double], workers: Workers) -> Double {
    worth(weights, workers: workers).ndcg
  }

  /// What the weighted sum of parts is worth.
  package func worth(_ weights: [Double], workers: Workers) -> Worth {
    evaluate(workers: workers) { user, scores in
      scores.update(repeating: 0, count: candidates.count)
      for (index, weight) in weights.enumerated() where weight != 0 {
        Float.axpy(
          candidates.count, Float(weight),
          values.pointer + (index * userCount + user) * candidates.count, scores)
      }
    }
  }

  /// The worth of whatever `fill` writes as a user's candidate scores.
  func evaluate(
    workers: Workers, _ fill: @Sendable (Int, UnsafeMutablePointer<Float>) -> Void
  ) -> Worth {
    let width = groups.isEmpty ? 1 : ValidationScores.groupCount
    let gains = ScalarBuffer<Double>(userCount * width)
    gains.pointer.initialize(repeating: 0, count: userCount * width)
    workers.runChunks(userCount, chunk: 8) { _, rows in
      let scores = ScalarBuffer<Float>(candidates.count)
      for user in rows where !relevant[user].isEmpty {
        fill(user, scores.pointer)
        for place in excluded[user] { scores.pointer[Int(place)] = -.infinity }
        addGains(user, scores.pointer, to: gains.pointer + user * width)
      }
    }
    var (sums, possible) = (
      [Double](repeating: 0, count: width), [Double](repeating: 0, count: width)
    )
    var users = 0
    for user in 0..<userCount where !relevant[user].isEmpty {
      users += 1
      for group in 0..<width { sums[group] += gains.pointer[user * width + group] }
      for place in relevant[user] {
        possible[group(place)] += 1 / Double(relevant[user].count)
      }
    }
    return Worth(
      ndcg: sums.reduce(0, +) / Double(max(1, users)),
      groups: (0..<width).filter { possible[$0] > 0 }.map { sums[$0] / possible[$0] })
  }

  private func group(_ place: Int32) -> Int { groups.isEmpty ? 0 : Int(groups[Int(place)]) }

  /// Adds to each group what its relevant candidates give to the user's NDCG@20.
  ///
  /// A tie with another candidate counts as lost, so that constant scores can't look good.
  private func addGains(
    _ user: Int, _ scores: UnsafePointer<Float>, to gains: UnsafeMutablePointer<Double>
  ) {
    let places = relevant[user].sorted { scores[Int($0)] > scores[Int($1)] }
    let ideal = (1...min(20, places.count)).reduce(0.0) { $0 + 1 / log2(Double($1) + 1) }
    for (place, candidate) in places.enumerated() {
      let value = scores[Int(candidate)]
      var notBelow = 0
      for other in 0..<candidates.count where scores[other] >= value { notBelow += 1 }
      // Equal relevant ones stand one after the other.
      let relevantNotBelow = places.reduce(0) { $0 + (scores[Int($1)] >= value ? 1 : 0) }
      let rank = notBelow - relevantNotBelow + place + 1
      if rank <= 20 { gains[group(candidate)] += 1 / log2(Double(rank) + 1) / ideal }
    }
  }
}

/// Finds non-negative weights by coordinate ascent on what they are worth on validation users.
///
/// It begins with usual weights or with the best single part, whichever is better, then tries other
/// weights of one part at a time, first in large steps, then in small ones. A change must gain
/// `margin`, and more than chance gives: parts that add only noise stay out.
package struct CoordinateAscent {
  var margin = 0.0003

  package init() {}

  package func fit(
    _ scores: ValidationScores, from usual: [Double]? = nil, workers: Workers
  ) -> (weights: [Double], ndcg: Double, single: [Double]) {
    let count = scores.parts.count
    let single = (0..<count).map { part in
      scores.worth((0..<count).map { $0 == part ? 1 : 0 }, workers: workers)
    }
    let start = single.indices.max { (single[$0].mean, -$0) < (single[$1].mean, -$1) } ?? 0
    var weights = [Double](repeating: 0, count: count)
    weights[start] = 1
    var best = single[start]
    if let usual, usual.contains(where: { $0 > 0 }) {
      let worth = scores.worth(usual, workers: workers)
      if worth.mean > best.mean { (weights, best) = (usual, worth) }
    }
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
            let worth = scores.worth(trial, workers: workers)
            if worth.isBetter(than: best, margin: margin) {
              (weights, best, improved) = (trial, worth, true)
            }
          }
        }
      }
    }
    return (weights, best.ndcg, single.map(\.ndcg))
  }
}
