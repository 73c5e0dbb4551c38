import Metrics
import TestSupport
import Testing

@Suite struct BootstrapTests {
  @Test func constantDifferences() {
    let result = PairedBootstrap(
      ours: [0.5, 0.75, 1], theirs: [0.25, 0.5, 0.75], draws: 1000)
    #expect(result.difference == 0.25)
    #expect(result.interval == [0.25, 0.25])
    #expect(result.p == 0.001)
    let equal = PairedBootstrap(ours: [1, 2], theirs: [1, 2], draws: 1000)
    #expect(equal.p == 1)
  }

  /// The normal approximation: mean +- 1.96 standard errors, and p of its z.
  @Test func agreesWithTheNormalApproximation() {
    var generator = CaseGenerator(state: 12)
    let ours = (0..<400).map { _ in Double.random(in: 0...1, using: &generator) + 0.04 }
    let theirs = (0..<400).map { _ in Double.random(in: 0...1, using: &generator) }
    let result = PairedBootstrap(ours: ours, theirs: theirs)
    let differences = zip(ours, theirs).map { $0 - $1 }
    let mean = differences.reduce(0, +) / 400
    let variance = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 400
    let error = (variance / 400).squareRoot()
    expectClose(result.difference, mean, absolute: 1e-12)
    expectClose(result.interval[0], mean - 1.96 * error, absolute: 0.1 * error)
    expectClose(result.interval[1], mean + 1.96 * error, absolute: 0.1 * error)
    let swapped = PairedBootstrap(ours: theirs, theirs: ours)
    expectClose(swapped.p, result.p, absolute: 1e-9)
  }

  @Test func oneSeedOneResult() {
    let values = (0..<50).map { Double($0 % 7) }
    let zero = [Double](repeating: 3, count: 50)
    let a = PairedBootstrap(ours: values, theirs: zero, seed: 5)
    #expect(a == PairedBootstrap(ours: values, theirs: zero, seed: 5))
    #expect(a.interval != PairedBootstrap(ours: values, theirs: zero, seed: 6).interval)
  }

  @Test func summariesLeaveNaNOut() {
    let summary = MetricSummary([1, .nan, 3])
    #expect(summary.mean == 2)
    // NumPy's nanstd is 1; the root is of all three users, as in bench/baselines.py.
    expectClose(summary.standardError, 1 / 3.0.squareRoot(), absolute: 1e-12)
    #expect(MetricSummary([]).mean.isNaN)
  }
}
