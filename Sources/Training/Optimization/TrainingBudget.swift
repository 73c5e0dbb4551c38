/// How long a run lasts.
///
/// Steps and epochs are totals, also of a resumed run.
public enum TrainingBudget: Sendable, Equatable, Codable {
  /// Optimizer steps.
  case steps(Int)
  /// Passes over the training sequences.
  case epochs(Double)
  /// Minutes of training time, earlier sessions of a resumed run included.
  case minutes(Double)

  /// The finished share of the run, from 0 to 1.
  public func fraction(step: Int, epochs: Double, seconds: Double) -> Double {
    let share =
      switch self {
      case .steps(let total): Double(step) / Double(max(1, total))
      case .epochs(let total): epochs / max(total, 1e-9)
      case .minutes(let total): seconds / max(total * 60, 1e-9)
      }
    return min(1, max(0, share))
  }
}

extension Duration {
  /// The duration as a number of seconds.
  var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
