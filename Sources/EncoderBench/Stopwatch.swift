/// Wall-clock seconds of pieces of work.
enum Stopwatch {
  /// How long `body` takes, in seconds.
  static func seconds(_ body: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try body()
    return seconds(since: start)
  }

  /// The least of several measurements, in seconds: what the machine can do undisturbed.
  static func best(of count: Int, _ body: () throws -> Void) rethrows -> Double {
    var best = Double.infinity
    for _ in 0..<count { best = min(best, try seconds(body)) }
    return best
  }

  /// Seconds from `start` until now.
  static func seconds(since start: ContinuousClock.Instant) -> Double {
    let parts = (ContinuousClock.now - start).components
    return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
  }
}
