import Datasets
import Testing

@Suite struct PositiveRuleTests {
  @Test func zeroAndOneOrNone() {
    for labels: [Float] in [[1, 1], [0, 1, 1], [0], []] {
      let rule = PositiveRule(labels: labels)
      #expect(rule.kind == .binary)
      #expect(rule.threshold == 1)
      #expect(rule.isPositive(1) && !rule.isPositive(0))
    }
  }

  @Test(
    arguments: [
      ([1, 2, 3, 4, 5], 3.5), ([0.5, 1, 1.5, 2, 4.5, 5], 3.5), ([-1, 1, 5, 7, 10], 7),
      ([-1, 1], 0.7), ([0, 1, 2], 1.4), ([20, 100], 70),
    ] as [([Float], Double)])
  func ratings(labels: [Float], threshold: Double) {
    let rule = PositiveRule(labels: labels)
    #expect(rule.kind == .ratings)
    #expect(rule.threshold == threshold)
    #expect(rule.isPositive(Float(threshold)))
  }

  @Test func minusOneAmongRatingsIsUnrated() {
    #expect(PositiveRule(labels: [-1, 1, 7, 10]).unratedLabel == -1)
    #expect(PositiveRule(labels: [-1, 1]).unratedLabel == nil)
    #expect(PositiveRule(labels: [1, 5]).unratedLabel == nil)
    #expect(!PositiveRule(labels: [-1, 1, 7, 10]).isPositive(-1))
  }

  @Test func countsAreAboveZero() {
    let rule = PositiveRule(labels: (0..<40).map { Float($0) * 3 })
    #expect(rule.kind == .counts)
    #expect(rule.threshold == 3)
    #expect(!rule.isPositive(0) && rule.isPositive(3))
    #expect(PositiveRule(labels: [1, 2, 1000]).kind == .counts)
  }

  @Test func explicitOnesAreComparedAsWritten() {
    let rule = PositiveRule(threshold: 0.7)
    #expect(rule.isPositive(0.7))
    #expect(!rule.isPositive(0.69))
    #expect(rule.reason == "a label of at least 0.7 (as given)")
  }

  @Test func aStrayLabelDoesNotSetTheScale() {
    let stars = (0..<1000).map { Float($0 % 5 + 1) }
    let rule = PositiveRule(labels: stars + [999])
    #expect(rule.threshold == 3.5)
    let range = LabelRange(labels: stars + [999])
    #expect(range.bounds == -3...9)
    #expect(
      LabelRange(labels: (0..<1000).map { Float($0 % 10 + 1) } + [-1]).bounds?.contains(-1) == true)
    #expect(LabelRange(labels: [1, 2, 999]).bounds == nil)
    #expect(LabelRange(labels: (0..<1000).map { Float($0) }).bounds == nil)
  }
}
