import Foundation

/// Metrics of predicted probabilities against true labels 0 and 1.
public struct BinaryLabelMetrics: Sendable, Codable, Equatable {
  /// The number of pairs.
  public let count: Int
  /// The share of right decisions at the threshold.
  public let accuracy: Double
  /// The share of true among those decided positive; 0 when none is.
  public let precision: Double
  /// The share of the true ones that are decided positive; 0 when there are none.
  public let recall: Double
  /// The harmonic mean of precision and recall; 0 when both are.
  public let f1: Double
  /// The mean of -log of the probability given to what is true; probabilities are cut to 2^-52 from the
  /// ends.
  public let logLoss: Double
  /// The mean squared difference of probability and truth (Brier 1950).
  public let brier: Double
  /// The expected calibration error (Naeini and others, 2015).
  ///
  /// Over `bins` equal ranges of probability, the mean of |share of true - mean probability|, weighted by
  /// how many fall in.
  public let calibrationError: Double
  /// The area under the ROC curve, ties counting half; NaN without both classes.
  public let auc: Double

  /// Computes all of them.
  ///
  /// - Parameters:
  ///   - probabilities: in 0...1.
  ///   - isTrue: as many truths.
  ///   - threshold: a probability of at least this is decided positive.
  ///   - bins: of the calibration error.
  public init(
    probabilities: [Double], isTrue: [Bool], threshold: Double = 0.5, bins: Int = 10
  ) {
    precondition(
      probabilities.count == isTrue.count && !isTrue.isEmpty,
      "\(probabilities.count) probabilities for \(isTrue.count) labels")
    var (hits, falseAlarms, misses) = (0, 0, 0)
    var (loss, squares) = (0.0, 0.0)
    for (p, truth) in zip(probabilities, isTrue) {
      let decided = p >= threshold
      if decided && truth { hits += 1 }
      if decided && !truth { falseAlarms += 1 }
      if !decided && truth { misses += 1 }
      let cut = min(1 - 0x1p-52, max(0x1p-52, p))
      loss -= truth ? log(cut) : log(1 - cut)
      squares += (p - (truth ? 1 : 0)) * (p - (truth ? 1 : 0))
    }
    count = isTrue.count
    let total = Double(count)
    accuracy = 1 - Double(falseAlarms + misses) / total
    precision = hits == 0 ? 0 : Double(hits) / Double(hits + falseAlarms)
    recall = hits == 0 ? 0 : Double(hits) / Double(hits + misses)
    f1 = hits == 0 ? 0 : 2 * Double(hits) / Double(2 * hits + falseAlarms + misses)
    logLoss = loss / total
    brier = squares / total
    calibrationError = expectedCalibrationError(probabilities, isTrue, bins: bins)
    auc = rocAUC(scores: probabilities, isTrue: isTrue)
  }
}

/// Metrics of predicted against true ratings.
public struct RatingMetrics: Sendable, Codable, Equatable {
  /// The number of pairs.
  public let count: Int
  /// The mean absolute difference.
  public let mae: Double
  /// The mean squared difference.
  public let mse: Double
  /// The root of the mean squared difference.
  public let rmse: Double

  /// Compares `predictions` with as many `targets`.
  public init(predictions: [Double], targets: [Double]) {
    precondition(
      predictions.count == targets.count && !targets.isEmpty,
      "\(predictions.count) predictions for \(targets.count) targets")
    count = targets.count
    let differences = zip(predictions, targets).map { $0 - $1 }
    mae = differences.reduce(0) { $0 + abs($1) } / Double(count)
    mse = differences.reduce(0) { $0 + $1 * $1 } / Double(count)
    rmse = mse.squareRoot()
  }
}

/// Metrics of labels: decisions, and ratings where there are any.
public struct LabelMetrics: Sendable, Codable, Equatable {
  /// Metrics of the predicted probabilities.
  public var binary: BinaryLabelMetrics?
  /// Metrics of the predicted ratings.
  public var rating: RatingMetrics?

  /// Puts the two together.
  public init(binary: BinaryLabelMetrics? = nil, rating: RatingMetrics? = nil) {
    self.binary = binary
    self.rating = rating
  }
}

/// The area under the ROC curve from the sum of ranks (Mann, Whitney), ties counting half; NaN without
/// both classes.
public func rocAUC(scores: [Double], isTrue: [Bool]) -> Double {
  precondition(scores.count == isTrue.count, "\(scores.count) scores for \(isTrue.count) labels")
  let order = scores.indices.sorted { scores[$0] < scores[$1] }
  var sum = 0.0
  var positives = 0
  var start = 0
  while start < order.count {
    var end = start + 1
    while end < order.count && scores[order[end]] == scores[order[start]] { end += 1 }
    let here = order[start..<end].reduce(0) { $0 + (isTrue[$1] ? 1 : 0) }
    sum += Double(here) * (Double(start + end + 1) / 2)
    positives += here
    start = end
  }
  let negatives = order.count - positives
  guard positives > 0 && negatives > 0 else { return .nan }
  return (sum - Double(positives) * Double(positives + 1) / 2)
    / (Double(positives) * Double(negatives))
}

private func expectedCalibrationError(
  _ probabilities: [Double], _ isTrue: [Bool], bins: Int
) -> Double {
  var difference = [Double](repeating: 0, count: bins)
  for (p, truth) in zip(probabilities, isTrue) {
    let bin = min(bins - 1, max(0, Int(p * Double(bins))))
    difference[bin] += (truth ? 1 : 0) - p
  }
  return difference.reduce(0) { $0 + abs($1) } / Double(max(1, probabilities.count))
}
