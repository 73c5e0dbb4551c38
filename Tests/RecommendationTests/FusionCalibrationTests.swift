import Foundation
import Recommendation
import TestSupport
import Testing

private struct PlattGolden: Decodable {
  var scores: [Double]
  var labels: [Bool]
  var weights: [Double]
  var slope: Double
  var intercept: Double
}

@Suite struct FusionCalibrationTests {
  @Test("Logistic regression on Platt's targets is scikit-learn's", arguments: 0..<3)
  func plattScaling(_ index: Int) throws {
    let golden = try towerGolden("platt", as: [PlattGolden].self)[index]
    let samples = golden.scores.indices.map {
      PlattScaling.Sample(
        score: golden.scores[$0], isPositive: golden.labels[$0], weight: golden.weights[$0])
    }
    let found = PlattScaling.fit(samples)
    expectClose(found.slope, golden.slope, relative: 1e-3, "slope")
    expectClose(found.intercept, golden.intercept, relative: 1e-3, "intercept")
    for score in [-3.0, 0, 1.5, 4] {
      expectClose(
        found.probability(score), 1 / (1 + exp(-golden.slope * score - golden.intercept)),
        absolute: 1e-4, "score \(score)")
    }
  }

  @Test func oneClassAloneLeavesLogits() {
    let samples = (0..<5).map {
      PlattScaling.Sample(score: Double($0), isPositive: true, weight: 1)
    }
    #expect(PlattScaling.fit(samples) == PlattScaling())
    #expect(PlattScaling.fit([]) == PlattScaling())
    expectClose(PlattScaling().probability(0), 0.5, absolute: 1e-15)
  }
}
