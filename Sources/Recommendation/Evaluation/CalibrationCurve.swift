import Foundation
import Kernels

/// Predictions beside what came true, range by range: a reliability diagram (DeGroot, Fienberg 1983).
public struct CalibrationCurve: Sendable {
  /// The pairs whose predictions fall into one range.
  public struct Bin: Sendable, Equatable {
    /// How many.
    public var count: Int
    /// The mean prediction.
    public var predicted: Double
    /// The mean of what came true: the share of positives, or the mean rating.
    public var observed: Double
    /// The ends of the 95% interval of ``observed``: Wilson's for shares, mean +- 1.96 standard errors
    /// for ratings.
    public var interval: [Double]
  }

  /// What is predicted.
  public enum Kind: Sendable, Equatable {
    /// A rare event's probability, in ranges of equal ratio.
    case rareProbability
    /// A probability, in ranges of equal width.
    case probability
    /// A rating, in ranges of equally many pairs.
    case rating
  }

  /// Which pairs: `new items`, `items with behaviours`.
  public let name: String
  /// What is predicted.
  public let kind: Kind
  /// The ranges that hold a pair, ascending.
  public let bins: [Bin]

  /// Sums up pairs of a prediction and what came true.
  package init(_ name: String, _ kind: Kind, predictions: [Double], truths: [Double]) {
    self.name = name
    self.kind = kind
    let places: [Int]
    switch kind {
    case .rareProbability:
      places = predictions.map { Int((log10(max($0, 1e-9)) * 2).rounded(.down)) }
    case .probability: places = predictions.map { min(9, max(0, Int($0 * 10))) }
    case .rating:
      let order = predictions.indices.sorted {
        (predictions[$0], $0) < (predictions[$1], $1)
      }
      var ranks = [Int](repeating: 0, count: order.count)
      for (rank, index) in order.enumerated() { ranks[index] = rank * 10 / order.count }
      places = ranks
    }
    var members: [Int: (count: Int, predicted: Double, observed: Double, squares: Double)] = [:]
    for (index, place) in places.enumerated() {
      let (p, y) = (predictions[index], truths[index])
      var entry = members[place] ?? (0, 0, 0, 0)
      entry = (entry.count + 1, entry.predicted + p, entry.observed + y, entry.squares + y * y)
      members[place] = entry
    }
    bins = members.sorted { $0.key < $1.key }.map { _, entry in
      let n = Double(entry.count)
      let mean = entry.observed / n
      let deviation = max(0, entry.squares / n - mean * mean)
      let error = 1.96 * (deviation / n).squareRoot()
      return Bin(
        count: entry.count, predicted: entry.predicted / n, observed: mean,
        interval: kind == .rating ? [mean - error, mean + error] : CalibrationCurve.wilson(mean, n))
    }
  }

  /// Wilson's 95% interval of a share of n.
  private static func wilson(_ share: Double, _ n: Double) -> [Double] {
    let z = 1.96
    let centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    let half = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
    return [max(0, centre - half), min(1, centre + half)]
  }
}

extension EvaluationSplit {
  /// Predicted probabilities of pairs beside the share of held-out positives among them, on the balanced
  /// set, for new items and for items with behaviours.
  ///
  /// - Parameters:
  ///   - scorer: takes ``histories``.
  ///   - probability: of a score.
  ///   - limit: users that are looked at, evenly spread over the evaluated ones.
  func calibration(
    _ scorer: any UserScorer, limit: Int = 300, probability: (Double) -> Double
  ) -> [CalibrationCurve] {
    let histories = histories
    let step = max(1, evaluated.count / limit)
    let line = ScalarBuffer<Float>(itemCount)
    var found: [(predictions: [Double], truths: [Double])] = [([], []), ([], [])]
    for row in stride(from: 0, to: evaluated.count, by: step) {
      let user = Int(evaluated[row])
      scorer.score(histories, rows: row..<(row + 1), into: line.pointer)
      let seen = Set(histories.columns(ofRow: row))
      let kept = Set(balancedPositives.columns(ofRow: user))
      let dropped = Set(coldPositives.columns(ofRow: user)).subtracting(kept)
      let held = Set(warmPositives.columns(ofRow: user))
      func add(_ set: Int, _ items: [Int32], _ positives: Set<Int32>) {
        for item in items where !seen.contains(item) && !dropped.contains(item) {
          found[set].predictions.append(probability(Double(line.pointer[Int(item)])))
          found[set].truths.append(positives.contains(item) ? 1 : 0)
        }
      }
      add(0, coldItems, kept)
      add(1, warmItems, held)
    }
    return zip(["new items", "items with behaviours"], found).compactMap { name, pairs in
      guard pairs.truths.contains(1) else { return nil }
      return CalibrationCurve(
        name, .rareProbability, predictions: pairs.predictions, truths: pairs.truths)
    }
  }
}
