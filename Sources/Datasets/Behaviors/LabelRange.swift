/// The scale of a label column, and the labels that can't belong to it.
///
/// With at least 100 rows, a label is out of range when it is rare (at most one row in a thousand), all
/// common labels are at most 20 distinct ones that make 99% of the rows, and it lies further outside
/// theirs than their whole range: 55 or 999 among 1..5, but not -1 among 1..10, and never among counts.
public struct LabelRange: Sendable, Equatable {
  /// The distinct labels in range, ascending; the first `maximumDistinct` when `isTruncated`.
  public let distinct: [Float]
  /// Whether there are more than `maximumDistinct` distinct labels.
  public let isTruncated: Bool
  /// The plausible labels; nil when there is no bound.
  public let bounds: ClosedRange<Float>?
  /// The least label above 0.
  let leastPositive: Float?

  /// At most this many distinct labels are ratings.
  public static let maximumDistinct = 20

  /// Finds the scale of `labels`, which are finite.
  public init(labels: [Float]) {
    var counts: [Float: Int] = [:]
    var last = Float.nan
    var run = 0
    for label in labels {
      if label != last {
        if run > 0 { counts[last, default: 0] += run }
        (last, run) = (label, 0)
      }
      run += 1
    }
    if run > 0 { counts[last, default: 0] += run }
    let all = counts.keys.sorted()
    let bounds = LabelRange.bounds(all, counts: counts, rows: labels.count)
    let inRange = all.filter { bounds?.contains($0) ?? true }
    self.bounds = bounds
    isTruncated = inRange.count > LabelRange.maximumDistinct
    distinct = Array(inRange.prefix(LabelRange.maximumDistinct))
    leastPositive = inRange.first { $0 > 0 }
  }

  private static func bounds(
    _ all: [Float], counts: [Float: Int], rows: Int
  ) -> ClosedRange<Float>? {
    let common = all.filter { (counts[$0] ?? 0) * 1000 > rows }
    let commonRows = common.reduce(0) { $0 + (counts[$1] ?? 0) }
    guard rows >= 100, common.count <= maximumDistinct, commonRows * 100 >= rows * 99,
      let low = common.first, let high = common.last
    else { return nil }
    let margin = max(high - low, 1)
    return (low - margin)...(high + margin)
  }
}
