import TestSupport
import Testing
import Training

@Suite("Learning rate and budget")
struct LearningRateScheduleTests {
  @Test("twenty steps with a tenth of warm-up, by hand")
  func byHand() {
    let schedule = LearningRateSchedule(peak: 2, warmup: 0.1)
    func rate(_ step: Int) -> Double {
      schedule.rate(fraction: Double(step) / 20, stepShare: 0.05)
    }
    expectClose(
      [0, 1, 2, 11, 18, 19].map(rate), [1, 2, 2, 1, 2.0 / 9, 1.0 / 9], absolute: 1e-12, "rates")
  }

  @Test("no warm-up, a step across its end, and a run of one step")
  func edges() {
    let plain = LearningRateSchedule(peak: 3, warmup: 0)
    expectClose(plain.rate(fraction: 0, stepShare: 0.1), 3, absolute: 1e-12)
    expectClose(plain.rate(fraction: 0.5, stepShare: 0.1), 1.5, absolute: 1e-12)
    let warm = LearningRateSchedule(peak: 3, warmup: 0.1)
    expectClose(warm.rate(fraction: 0.05, stepShare: 0.1), 3, absolute: 1e-12)
    expectClose(warm.rate(fraction: 0, stepShare: 1), 3, absolute: 1e-12)
    // Time budgets can end inside a step; the rate never falls below zero.
    expectClose(warm.rate(fraction: 1, stepShare: 0.5), 0, absolute: 1e-12)
  }

  @Test("the finished share of steps, epochs and minutes")
  func budgets() {
    #expect(TrainingBudget.steps(8).fraction(step: 2, epochs: 9, seconds: 9) == 0.25)
    #expect(TrainingBudget.steps(8).fraction(step: 12, epochs: 0, seconds: 0) == 1)
    #expect(TrainingBudget.epochs(2.5).fraction(step: 9, epochs: 1.25, seconds: 9) == 0.5)
    #expect(TrainingBudget.minutes(2).fraction(step: 9, epochs: 9, seconds: 30) == 0.25)
    #expect(TrainingBudget.minutes(2).fraction(step: 0, epochs: 0, seconds: 121) == 1)
    #expect(TrainingBudget.minutes(2).fraction(step: 0, epochs: 0, seconds: 0) == 0)
  }
}
