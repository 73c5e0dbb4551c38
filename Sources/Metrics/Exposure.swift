/// How recommendations spread over the catalogue.
public struct Exposure: Sendable, Codable, Equatable {
  /// The share of the items that are recommended at all.
  public let coverage: Double
  /// The Gini index of how often items are recommended: from 0, all equally often, towards 1, one alone.
  ///
  /// The sum of (2i - n - 1) x_i, divided by n times the sum of x; x ascending, i from 1.
  public let gini: Double

  /// Computes both from how often each item of the catalogue is recommended; NaN without any.
  public init(counts: [Int]) {
    let total = counts.reduce(0, +)
    guard total > 0 else {
      coverage = counts.isEmpty ? .nan : 0
      gini = .nan
      return
    }
    let n = counts.count
    coverage = Double(counts.reduce(0) { $0 + ($1 > 0 ? 1 : 0) }) / Double(n)
    var sum = 0.0
    for (place, count) in counts.sorted().enumerated() {
      sum += Double(2 * (place + 1) - n - 1) * Double(count)
    }
    gini = sum / (Double(n) * Double(total))
  }
}
