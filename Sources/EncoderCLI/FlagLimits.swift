import ArgumentParser

/// Bounds of flags' numbers: beyond them nothing sensible could happen, and arithmetic would overflow.
enum FlagLimits {
  /// Threads of a process.
  static let threads = 1...1024
  /// Pieces of a vocabulary.
  static let pieces = 7...10_000_000
  /// Tokens of a text.
  static let textLength = 8...32_768
  /// Tokens of an optimizer step.
  static let batchTokens = 8...16_777_216
  /// Steps of any kind.
  static let steps = 1...1_000_000_000_000
  /// Passes over data.
  static let epochs = 1...1_000_000
  /// Widths, ranks and numbers of layers.
  static let width = 1...65_536
  /// Minutes: some two years.
  static let minutes = 1_000_000.0

  /// Checks a whole number.
  ///
  /// - Throws: `ValidationError` that names the flag and its range.
  static func check(_ flag: String, _ value: Int?, _ range: ClosedRange<Int>) throws {
    guard let value, !range.contains(value) else { return }
    throw ValidationError(
      "\(flag) must be between \(range.lowerBound) and \(range.upperBound), not \(value).")
  }

  /// Checks a number above 0 and at most `largest`; NaN is neither.
  ///
  /// - Throws: `ValidationError` that names the flag and its range.
  static func check(_ flag: String, _ value: Double?, atMost largest: Double) throws {
    guard let value, !(value > 0 && value <= largest) else { return }
    throw ValidationError(
      "\(flag) must be above 0 and at most \(number(largest)), not \(number(value)).")
  }

  /// Checks that a number is one, and not infinite.
  ///
  /// - Throws: `ValidationError` that names the flag.
  static func checkFinite(_ flag: String, _ value: Double?) throws {
    guard let value, !value.isFinite else { return }
    throw ValidationError("\(flag) must be a finite number, not \(value).")
  }

  private static func number(_ value: Double) -> String {
    Int(exactly: value).map { String($0) } ?? "\(value)"
  }
}
