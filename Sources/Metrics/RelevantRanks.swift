/// The ranks of the relevant items among the candidates, without sorting the candidates.
///
/// An item stands before another when its score is higher or, with equal scores, its number in
/// `tieOrder` is smaller. NaN and minus infinity count as -1e30, infinity as 1e30.
public struct RelevantRanks: Sendable, Equatable {
  /// The rank, from 0, of each relevant item, in no particular order.
  public let ranks: [Int]
  /// The share of pairs of a relevant and another candidate in the right order, ties counting half; NaN
  /// when there is no other candidate.
  public let auc: Double

  /// Ranks `relevant` among `candidates`.
  ///
  /// - Parameters:
  ///   - scores: one for each item.
  ///   - candidates: the items that are ranked, each once.
  ///   - relevant: some of the candidates, each once.
  ///   - missed: how many more relevant items aren't candidates; they rank behind all of them.
  ///   - tieOrder: a number for each item, all different.
  /// - Complexity: O(candidates x log relevant).
  public init(
    scores: UnsafeBufferPointer<Float>, candidates: UnsafeBufferPointer<Int32>,
    relevant: [Int32], missed: Int = 0, tieOrder: [Int32]
  ) {
    var groups = ScoreGroups(scores: scores, relevant: relevant, tieOrder: tieOrder)
    groups.count(scores: scores, candidates: candidates, tieOrder: tieOrder)
    let missedRanks = Array(repeating: candidates.count, count: missed)
    ranks = groups.ranks + missedRanks
    let others = candidates.count - relevant.count - missed
    guard others > 0 else {
      auc = .nan
      return
    }
    var sum = 0.0
    for group in 0..<groups.scores.count {
      let wrong = Double(groups.othersAbove[group]) + 0.5 * Double(groups.othersEqual[group])
      sum += Double(groups.size(group)) * (1 - wrong / Double(others))
    }
    let last = 1 - Double(candidates.count - relevant.count) / Double(others)
    auc = (sum + Double(missed) * last) / Double(relevant.count + missed)
  }
}

/// A score as it is compared.
@inline(__always)
func comparable(_ score: Float) -> Float {
  score.isFinite ? score : (score == .infinity ? 1e30 : -1e30)
}

/// The relevant items, grouped by equal score from the highest down, and counts of the candidates that
/// stand before them.
private struct ScoreGroups {
  /// The distinct scores, descending.
  private(set) var scores: [Float] = []
  /// Where each group's items begin in `ties`; one more at the end.
  private var starts: [Int] = []
  /// The tie numbers of the items, ascending within a group.
  private var ties: [Int32] = []
  private(set) var ranks: [Int] = []
  /// Candidates that aren't relevant and score higher than the group.
  private(set) var othersAbove: [Int] = []
  /// Candidates that aren't relevant and score like the group.
  private(set) var othersEqual: [Int] = []

  init(scores all: UnsafeBufferPointer<Float>, relevant: [Int32], tieOrder: [Int32]) {
    let sorted = relevant.map { (comparable(all[Int($0)]), tieOrder[Int($0)]) }
      .sorted { $0.0 != $1.0 ? $0.0 > $1.0 : $0.1 < $1.1 }
    for (place, item) in sorted.enumerated() {
      if scores.last != item.0 {
        scores.append(item.0)
        starts.append(place)
      }
      ties.append(item.1)
    }
    starts.append(ties.count)
  }

  func size(_ group: Int) -> Int { starts[group + 1] - starts[group] }

  mutating func count(
    scores all: UnsafeBufferPointer<Float>, candidates: UnsafeBufferPointer<Int32>,
    tieOrder: [Int32]
  ) {
    // How many candidates score above each group, and like it.
    var above = [Int](repeating: 0, count: scores.count)
    var equal = [Int](repeating: 0, count: scores.count)
    // How many candidates of the group stand before each place, but for those that stand before an earlier one.
    var before = [Int](repeating: 0, count: ties.count + 1)
    withComparable(all, candidates) { values in
      if scores.count <= ScoreGroups.mostToScan {
        for group in scores.indices {
          (above[group], equal[group]) = ScoreGroups.count(values, against: scores[group])
        }
      } else {
        search(values, &above, &equal)
      }
      // An item alone with its score has none before it.
      for group in scores.indices where equal[group] > 1 {
        for (place, candidate) in candidates.enumerated()
        where values[place] == scores[group] {
          before[firstTie(in: group, above: tieOrder[Int(candidate)])] += 1
        }
      }
    }
    for group in scores.indices {
      othersAbove.append(above[group] - starts[group])
      othersEqual.append(equal[group] - size(group))
      var sameScore = 0
      for place in starts[group]..<starts[group + 1] {
        sameScore += before[place]
        ranks.append(above[group] + sameScore)
      }
    }
  }

  /// Up to so many groups a pass over all candidates for each, at the processor's vector width, beats a search a
  /// candidate, whose branches can't be predicted.
  private static let mostToScan = 128

  /// Calls `body` with the candidates' scores, padded to whole vectors with what is below all scores.
  private func withComparable(
    _ all: UnsafeBufferPointer<Float>, _ candidates: UnsafeBufferPointer<Int32>,
    _ body: (UnsafeBufferPointer<Float>) -> Void
  ) {
    let padded = (candidates.count + 15) / 16 * 16
    withUnsafeTemporaryAllocation(of: Float.self, capacity: padded) { values in
      for (place, candidate) in candidates.enumerated() {
        values[place] = comparable(all[Int(candidate)])
      }
      for place in candidates.count..<padded { values[place] = -.infinity }
      body(UnsafeBufferPointer(values))
    }
  }

  private static func count(
    _ values: UnsafeBufferPointer<Float>, against score: Float
  ) -> (above: Int, equal: Int) {
    var above = SIMD16<Int32>()
    var equal = SIMD16<Int32>()
    let bound = SIMD16<Float>(repeating: score)
    let one = SIMD16<Int32>(repeating: 1)
    let source = UnsafeRawBufferPointer(values)
    for start in stride(from: 0, to: source.count, by: MemoryLayout<SIMD16<Float>>.size) {
      let vector = source.loadUnaligned(fromByteOffset: start, as: SIMD16<Float>.self)
      above.replace(with: above &+ one, where: vector .> bound)
      equal.replace(with: equal &+ one, where: vector .== bound)
    }
    return (Int(above.wrappedSum()), Int(equal.wrappedSum()))
  }

  private func search(
    _ values: UnsafeBufferPointer<Float>, _ above: inout [Int], _ equal: inout [Int]
  ) {
    guard let lowest = scores.last else { return }
    for score in values where score >= lowest {
      let group = firstGroup(notAbove: score)
      if scores[group] < score {
        above[group] += 1
      } else {
        equal[group] += 1
        if group + 1 < scores.count { above[group + 1] += 1 }
      }
    }
    for group in scores.indices.dropFirst() { above[group] += above[group - 1] }
  }

  /// The first group whose score is at most `score`; the caller knows that there is one.
  private func firstGroup(notAbove score: Float) -> Int {
    var low = 0
    var high = scores.count - 1
    while low < high {
      let middle = (low + high) / 2
      if scores[middle] <= score { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// The first place of the group whose tie number is above `tie`; the end of all places when none is,
  /// so that the count there is never used.
  private func firstTie(in group: Int, above tie: Int32) -> Int {
    var low = starts[group]
    var high = starts[group + 1]
    while low < high {
      let middle = (low + high) / 2
      if ties[middle] > tie { high = middle } else { low = middle + 1 }
    }
    return low == starts[group + 1] ? ties.count : low
  }
}
