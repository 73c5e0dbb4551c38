import Foundation
import Kernels
import TestSupport
import Testing

@Suite struct AdamWTests {
  @Test(arguments: [("adamW", true), ("adamWithoutDecay", false)])
  func tenStepsAgreeWithPyTorch(name: String, decay: Bool) throws {
    let golden = try KernelGolden.load(name)
    try compare(golden, decay: decay, of: Double.self, bound: 1e-13)
    try compare(golden, decay: decay, of: Float.self, bound: 5e-7)
  }

  private func compare<S: KernelScalar>(
    _ golden: [String: [Double]], decay: Bool, of: S.Type, bound: Double
  ) throws {
    let configuration = AdamWConfiguration(
      learningRate: 0.01, beta1: 0.9, beta2: 0.98, epsilon: 1e-6, weightDecay: 0.1)
    var parameters = try golden.array("start").map { S($0) }
    let gradients = try golden.array("gradients")
    let wanted = try golden.array("parameters")
    var (first, second): ([S], [S]) = (zeros(6), zeros(6))
    for step in 1...10 {
      let place = (step - 1) * 6..<step * 6
      AdamW.step(
        parameters: &parameters, gradients: gradients[place].map { S($0 * 2) }, first: &first,
        second: &second, count: 6, configuration: configuration,
        learningRate: S(0.01 * (1 - Double(step - 1) / 20)), step: step, decay: decay,
        gradientScale: 0.5)
      expectClose(
        parameters.map { Double($0) }, Array(wanted[place]), absolute: bound, relative: bound,
        "\(S.self), step \(step)")
    }
  }

  @Test func firstStepByHand() {
    // m = 0.2, v = 0.004, both corrected to g and g^2: the step is the learning rate.
    var (parameter, first, second): ([Double], [Double], [Double]) = ([1], [0], [0])
    AdamW.step(
      parameters: &parameter, gradients: [2], first: &first, second: &second, count: 1,
      configuration: AdamWConfiguration(weightDecay: 0.5), learningRate: 0.1, step: 1, decay: true,
      gradientScale: 1)
    expectClose(parameter[0], 1 - 0.1 * 0.5 - 0.1, absolute: 1e-8, "parameter")
    expectClose(first[0], 0.2, absolute: 1e-15, "first moment")
    expectClose(second[0], 0.004, absolute: 1e-15, "second moment")
  }

  @Test(arguments: 1...70)
  func floatLoopAgreesWithTwin(count: Int) {
    let configuration = AdamWConfiguration()
    var narrow = randomFloats(count, seed: 1)
    var wide = narrow.doubles
    var (first, second): ([Float], [Float]) = (zeros(count), zeros(count))
    var (wideFirst, wideSecond): ([Double], [Double]) = (zeros(count), zeros(count))
    for step in 1...5 {
      let gradients = randomFloats(count, seed: UInt64(step + 10), scale: 3)
      AdamW.step(
        parameters: &narrow, gradients: gradients, first: &first, second: &second, count: count,
        configuration: configuration, learningRate: 1e-3, step: step, decay: true,
        gradientScale: 0.7)
      AdamW.stepTwin(
        parameters: &wide, gradients: gradients.doubles, first: &wideFirst, second: &wideSecond,
        count: count, configuration: configuration, learningRate: 1e-3, step: step, decay: true,
        gradientScale: 0.7)
    }
    expectClose(narrow.doubles, wide, absolute: 4e-7, "parameters")
    expectClose(first.doubles, wideFirst, absolute: 1e-6, "first moments")
    expectClose(second.doubles, wideSecond, absolute: 1e-7, relative: 1e-6, "second moments")
  }

  @Test func convergesOnAParabola() {
    var (x, first, second): ([Float], [Float], [Float]) = ([5, -3], [0, 0], [0, 0])
    let goal: [Float] = [1, 2]
    for step in 1...2000 {
      let gradients = zip(x, goal).map { 2 * ($0 - $1) }
      AdamW.step(
        parameters: &x, gradients: gradients, first: &first, second: &second, count: 2,
        configuration: AdamWConfiguration(weightDecay: 0), learningRate: 0.01, step: step,
        decay: false, gradientScale: 1)
    }
    expectClose(x, goal, absolute: 1e-3, "minimum")
  }

  @Test func configurationKeepsItsValuesInJSON() throws {
    let configuration = AdamWConfiguration(learningRate: 3e-4, beta2: 0.98)
    let data = try JSONEncoder().encode(configuration)
    #expect(try JSONDecoder().decode(AdamWConfiguration.self, from: data) == configuration)
    #expect(configuration.beta1 == 0.9)
    #expect(configuration.epsilon == 1e-8)
    #expect(configuration.weightDecay == 0.01)
  }
}
