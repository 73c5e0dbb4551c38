/// Decides which labels count as positive: those of at least `threshold`.
///
/// Without an explicit threshold: 1 for labels 0 and 1 or none; 0.7 of the largest where there are at
/// most 20 distinct bounded ratings; otherwise anything above 0 (counts). Ratings are bounded when the
/// largest is at most 100. Labels below 0 are not on the scale: in 1..10 with -1 for "seen, not rated",
/// -1 is `unratedLabel` and a 7 is positive.
public struct PositiveRule: Sendable, Codable, Equatable {
  /// How the threshold came about.
  public enum Kind: String, Sendable, Codable {
    /// The caller's.
    case explicit
    /// Labels 0 and 1, or none.
    case binary
    /// At most 20 distinct ratings.
    case ratings
    /// Anything above 0.
    case counts
  }

  /// How the threshold came about.
  public let kind: Kind
  /// A label of at least this is positive.
  public let threshold: Double
  /// The rule in words, for the user.
  public let reason: String
  /// The label that stands for "not rated": the one negative label among ratings, else nil.
  public let unratedLabel: Float?

  /// The caller's threshold.
  public init(threshold: Double) {
    self.init(
      kind: .explicit, threshold: threshold,
      reason: "a label of at least \(shortText(threshold)) (as given)", unratedLabel: nil)
  }

  /// The threshold that `labels` suggest; labels far outside the scale of the others (see
  /// `LabelRange`) don't count.
  public init(labels: [Float]) {
    let range = LabelRange(labels: labels)
    let distinct = range.distinct
    let positive = distinct.filter { $0 > 0 }
    let negative = distinct.filter { $0 < 0 }
    let largest = distinct.last ?? 1
    if distinct.allSatisfy({ $0 == 0 || $0 == 1 }) && !range.isTruncated {
      self.init(
        kind: .binary, threshold: 1,
        reason: "a label of 1 (the labels are 0 and 1, or there are none)",
        unratedLabel: nil)
    } else if !range.isTruncated && !positive.isEmpty && largest <= 100 {
      let threshold = decimal(largest) * 7 / 10
      self.init(
        kind: .ratings, threshold: threshold,
        reason: "a label of at least \(shortText(threshold)) (0.7 of the largest, "
          + "\(shortText(decimal(largest))), of \(distinct.count) distinct labels)",
        unratedLabel: negative.count == 1 && positive.count > 1 ? negative[0] : nil)
    } else {
      let least = range.leastPositive.map(decimal) ?? 1
      self.init(
        kind: .counts, threshold: least,
        reason: "a label above 0 (the least is \(shortText(least)))", unratedLabel: nil)
    }
  }

  private init(kind: Kind, threshold: Double, reason: String, unratedLabel: Float?) {
    self.kind = kind
    self.threshold = threshold
    self.reason = reason
    self.unratedLabel = unratedLabel
  }

  /// Whether `label` counts as positive.
  ///
  /// Compared in single precision, as labels are kept, so that a label written like the threshold
  /// reaches it.
  @inlinable
  public func isPositive(_ label: Float) -> Bool { label >= Float(threshold) }
}

/// The decimal number that a label was read from: the shortest one that gives the same Float.
package func decimal(_ label: Float) -> Double {
  if label == label.rounded() && abs(label) < 0x1p24 { return Double(label) }
  return Double("\(label)") ?? Double(label)
}

/// 8 for 8.0, 3.5 for 3.5.
package func shortText(_ value: Double) -> String {
  let text = "\(value)"
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}
