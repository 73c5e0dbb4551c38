import Kernels
import TestSupport
import Testing

@Suite struct DropoutTests {
  @Test(arguments: [0.05, 0.1, 0.5, 0.9])
  func rateAndMean(rate: Double) {
    let count = 200_000
    var x = [Float](repeating: 1, count: count)
    Dropout(rate: rate, key: 1).apply(&x, count: count)
    let kept = x.filter { $0 != 0 }
    // Five standard deviations of a binomial share.
    let spread = 5 * (rate * (1 - rate) / Double(count)).squareRoot()
    expectClose(Double(kept.count) / Double(count), 1 - rate, absolute: spread, "kept share")
    #expect(kept.allSatisfy { $0 == Float(1 / (1 - rate)) })
    let mean = x.doubles.reduce(0, +) / Double(count)
    expectClose(mean, 1, absolute: spread / (1 - rate), "mean")
  }

  @Test(arguments: [1, 5, 16, 70, 1000])
  func loopAndTwinGiveTheSameMask(count: Int) {
    let dropout = Dropout(rate: 0.3, key: 0xFEDC_BA98_7654_3210)
    let x = randomFloats(count, seed: 2)
    for first in [0, 1, 77, Int(UInt32.max) - 20] {
      var (loop, twin) = (x, x)
      dropout.apply(&loop, count: count, first: first)
      dropout.applyTwin(&twin, count: count, first: first)
      #expect(loop == twin, "from \(first)")
      var wide = x.doubles
      dropout.apply(&wide, count: count, first: first)
      #expect(wide.map { $0 == 0 } == loop.map { $0 == 0 }, "Double from \(first)")
    }
  }

  @Test func aPartHasTheMaskOfTheWhole() {
    let dropout = Dropout(rate: 0.4, key: 9)
    var whole = [Float](repeating: 1, count: 300)
    dropout.apply(&whole, count: 300)
    var part = [Float](repeating: 1, count: 100)
    dropout.apply(&part, count: 100, first: 120)
    #expect(part == Array(whole[120..<220]))
  }

  @Test func gradients() {
    let dropout = Dropout(rate: 0.4, key: 4)
    let x = randomVector(30, seed: 1)
    let projection = randomVector(30, seed: 2)
    var gradient = projection
    dropout.apply(&gradient, count: 30)
    GradientCheck().expect("x", input: x, gradient: gradient) { moved in
      var y = moved
      dropout.apply(&y, count: 30)
      return GradientCheck.project(y, on: projection)
    }
  }

  @Test func masksOfStreamsAreUnrelated() {
    func mask(_ dropout: Dropout) -> [Bool] {
      var x = [Float](repeating: 1, count: 10_000)
      dropout.apply(&x, count: x.count)
      return x.map { $0 != 0 }
    }
    let base = Dropout(rate: 0.5, key: 0)
    let masks =
      [mask(base), mask(Dropout(rate: 0.5, key: 1))] + (0..<6).map { mask(base.stream($0)) }
    for i in masks.indices {
      for j in 0..<i {
        let agreement = zip(masks[i], masks[j]).filter { $0 == $1 }.count
        // 5,000 agree by chance; 300 is six standard deviations.
        #expect(abs(agreement - 5000) < 300, "masks \(i) and \(j)")
      }
      // No relation between neighbours or at a power of two either.
      for lag in [1, 2, 16, 1024] {
        let pairs = masks[i].count - lag
        let agreement = (0..<pairs).filter { masks[i][$0] == masks[i][$0 + lag] }.count
        #expect(abs(agreement - pairs / 2) < 300, "mask \(i), lag \(lag)")
      }
    }
    #expect(mask(base.stream(3)) == mask(base.stream(3)))
  }

  @Test func rateZeroKeepsEverything() {
    var x: [Float] = [1, -2, .infinity]
    Dropout(rate: 0, key: 1).apply(&x, count: 3)
    #expect(x == [1, -2, .infinity])
  }
}
