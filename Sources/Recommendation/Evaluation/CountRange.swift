/// A range of counts by which quality is looked at: behaviours that an item has, or a user.
public struct CountRange: Sendable, Equatable {
  /// The counts.
  public let counts: ClosedRange<Int>

  /// The name: `0`, `2-5`, `over 20`.
  public var name: String {
    if counts.upperBound == Int.max { return "over \(counts.lowerBound - 1)" }
    return counts.count == 1
      ? "\(counts.lowerBound)" : "\(counts.lowerBound)-\(counts.upperBound)"
  }

  /// Training positives of an item.
  public static let itemAges = [0...0, 1...1, 2...5, 6...20, 21...Int.max].map(CountRange.init)
  /// Training positives of a user.
  public static let histories = [1...1, 2...5, 6...20, 21...50, 51...Int.max].map(CountRange.init)

  init(_ counts: ClosedRange<Int>) { self.counts = counts }

  /// The place in `ranges` of the one that holds a count.
  static func place(of count: Int, in ranges: [CountRange]) -> Int? {
    ranges.firstIndex { $0.counts.contains(count) }
  }
}
