/// Linear warm-up, then linear decay to zero, over the finished share of the run.
///
/// Written over the share and not over steps, so that one schedule serves step, epoch and time budgets.
public struct LearningRateSchedule: Sendable, Equatable {
  /// The largest learning rate, reached at the end of the warm-up.
  public var peak: Double
  /// Share of the run that warms up.
  public var warmup: Double

  /// Creates a schedule.
  public init(peak: Double, warmup: Double = 0.06) {
    self.peak = peak
    self.warmup = warmup
  }

  /// The learning rate of the step that begins at `fraction` and is about `stepShare` of the run long.
  ///
  /// Each step takes the rate of its end while warming up, so that the first one isn't zero, and of
  /// its beginning while decaying, so that the last one isn't.
  public func rate(fraction: Double, stepShare: Double) -> Double {
    let end = min(1, fraction + stepShare)
    if end <= warmup { return peak * end / warmup }
    return peak * (1 - max(fraction, warmup)) / max(1 - warmup, 1e-9)
  }
}
