/// Compares two programs on the same users: mean difference, 95% interval and p by a bootstrap.
///
/// The users are drawn again with replacement; p is two-sided, min(1, 2 min(P(d <= 0), P(d >= 0)) +
/// 1 / draws), so never 0 (Efron, Tibshirani 1993).
public struct PairedBootstrap: Sendable, Codable, Equatable {
  /// The users that are compared.
  public let users: Int
  /// The mean of ours minus theirs.
  public let difference: Double
  /// The ends of the 95% interval of the difference.
  public let interval: [Double]
  /// The two-sided p.
  public let p: Double

  /// Compares `ours[i]` with `theirs[i]`, the values of one user each; there is at least one user.
  ///
  /// - Parameters:
  ///   - draws: how often the users are drawn again.
  ///   - seed: of the draws.
  public init(ours: [Double], theirs: [Double], draws: Int = 10_000, seed: UInt64 = 1) {
    precondition(ours.count == theirs.count, "\(ours.count) users against \(theirs.count)")
    precondition(!ours.isEmpty && draws > 0, "a comparison needs users and draws")
    let differences = zip(ours, theirs).map { $0 - $1 }
    let means = bootstrapMeans(differences, draws: draws, seed: seed)
    let below = Double(means.reduce(0) { $0 + ($1 <= 0 ? 1 : 0) }) / Double(draws)
    let above = Double(means.reduce(0) { $0 + ($1 >= 0 ? 1 : 0) }) / Double(draws)
    users = ours.count
    difference = differences.reduce(0, +) / Double(differences.count)
    interval = [percentile(means, 2.5), percentile(means, 97.5)]
    p = min(1, 2 * min(below, above) + 1 / Double(draws))
  }
}

/// Means of `draws` samples of `values` with replacement, ascending.
func bootstrapMeans(_ values: [Double], draws: Int, seed: UInt64) -> [Double] {
  var state = seed
  let range = UInt64(values.count)
  let means = values.withUnsafeBufferPointer { values in
    (0..<draws).map { _ in
      var sum = 0.0
      for _ in 0..<values.count {
        // SplitMix64; the high half of the product is an index with a bias below n / 2^64.
        state &+= 0x9E37_79B9_7F4A_7C15
        var h = state
        h = (h ^ (h >> 30)) &* 0xBF58_476D_1CE4_E5B9
        h = (h ^ (h >> 27)) &* 0x94D0_49BB_1331_11EB
        sum += values[Int((h ^ (h >> 31)).multipliedFullWidth(by: range).high)]
      }
      return sum / Double(values.count)
    }
  }
  return means.sorted()
}

/// The point below which `percent` of the ascending `values` lie, linear between neighbours as NumPy.
func percentile(_ values: [Double], _ percent: Double) -> Double {
  guard let last = values.last else { return .nan }
  let place = percent / 100 * Double(values.count - 1)
  let low = Int(place)
  guard low + 1 < values.count else { return last }
  return values[low] + (place - Double(low)) * (values[low + 1] - values[low])
}
