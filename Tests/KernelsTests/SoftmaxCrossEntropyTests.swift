import Kernels
import TestSupport
import Testing

@Suite struct SoftmaxCrossEntropyTests {
  private func hard<S: KernelScalar>(
    _ logits: [S], _ targets: [Int32], classes: Int, scale: S?
  ) -> (loss: Double, correct: Int, gradient: [S]) {
    var gradient = logits
    let result = SoftmaxCrossEntropy.forwardBackward(
      logits: &gradient, targets: targets, rows: targets.count, classes: classes,
      gradientScale: scale)
    return (result.loss, result.correct, gradient)
  }

  @Test func gradients() {
    let logits = randomVector(5 * 6, seed: 1, scale: 3)
    let targets: [Int32] = [0, 5, 2, 2, 3]
    let gradient = hard(logits, targets, classes: 6, scale: 0.25).gradient
    GradientCheck().expect("logits", input: logits, gradient: gradient) {
      hard($0, targets, classes: 6, scale: nil).loss * 0.25
    }
  }

  @Test func sparseGradients() {
    let logits = randomVector(3 * 6, seed: 2, scale: 3)
    let offsets: [Int32] = [0, 2, 2, 5]
    let columns: [Int32] = [0, 4, 1, 1, 5]
    let weights = [0.25, 0.75, 0.125, 0.375, 0.5]
    func loss(_ logits: inout [Double], _ scale: Double?) -> Double {
      SoftmaxCrossEntropy.forwardBackwardSparse(
        logits: &logits, targetOffsets: offsets, targetColumns: columns, targetWeights: weights,
        rows: 3, classes: 6, gradientScale: scale)
    }
    var gradient = logits
    _ = loss(&gradient, 0.5)
    #expect(gradient[6..<12].allSatisfy { $0 == 0 }, "a row without targets has no gradient")
    GradientCheck().expect("logits", input: logits, gradient: gradient) {
      var moved = $0
      return loss(&moved, nil) * 0.5
    }
  }

  @Test func agreesWithPyTorch() throws {
    let golden = try KernelGolden.load("crossEntropy")
    let (logits, targets) = try (golden.array("logits"), golden.integers("targets"))
    let (loss, correct) = try (golden.array("loss")[0], golden.integers("correct")[0])
    let wide = hard(logits, targets, classes: 7, scale: 1)
    expectClose(wide.loss, loss, absolute: 1e-12, "loss in Double")
    #expect(wide.correct == correct)
    expectClose(wide.gradient, try golden.array("dLogits"), absolute: 1e-12, "gradient in Double")
    let narrow = hard(logits.floats, targets, classes: 7, scale: 1)
    expectClose(narrow.loss, loss, relative: 1e-6, "loss in Float")
    #expect(narrow.correct == correct)
    expectClose(
      narrow.gradient.doubles, try golden.array("dLogits"), absolute: 2e-7, "gradient in Float")

    let soft = try KernelGolden.load("softCrossEntropy")
    var gradient = logits.floats
    let softLoss = SoftmaxCrossEntropy.forwardBackwardSparse(
      logits: &gradient, targetOffsets: try soft.integers("offsets"),
      targetColumns: try soft.integers("columns"), targetWeights: try soft.floats("weights"),
      rows: 4, classes: 7, gradientScale: 1)
    expectClose(softLoss, try soft.array("loss")[0], relative: 1e-6, "soft loss in Float")
    expectClose(
      gradient.doubles, try soft.array("dLogits"), absolute: 2e-7, "soft gradient in Float")
  }

  @Test(arguments: 1...70)
  func floatAgreesWithDouble(classes: Int) {
    let logits = randomFloats(3 * classes, seed: UInt64(classes), scale: 20)
    let targets: [Int32] = [0, Int32(classes / 2), Int32(classes - 1)]
    let narrow = hard(logits, targets, classes: classes, scale: 0.5)
    let wide = hard(logits.doubles, targets, classes: classes, scale: 0.5)
    expectClose(narrow.loss, wide.loss, absolute: 1e-6, relative: 1e-6, "loss")
    #expect(narrow.correct == wide.correct)
    expectClose(narrow.gradient.doubles, wide.gradient, absolute: 1e-6, relative: 4e-6, "gradient")
    let untouched = hard(logits, targets, classes: classes, scale: nil)
    #expect(untouched.gradient == logits)
    expectClose(untouched.loss, narrow.loss, relative: 1e-6, "loss without gradient")
  }

  @Test func theFirstOfEqualLogitsCounts() {
    for scale in [nil, 1] as [Float?] {
      #expect(hard([1, 3, 3, 2], [1], classes: 4, scale: scale).correct == 1)
      #expect(hard([1, 3, 3, 2], [2], classes: 4, scale: scale).correct == 0)
      // One unit in the last place apart, although both have exp(x - max) = 1.
      let below = Float(3).nextDown
      #expect(hard([1, below, 3, 2], [2], classes: 4, scale: scale).correct == 1)
      #expect(hard([1, below, 3, 2], [1], classes: 4, scale: scale).correct == 0)
    }
  }

  @Test func extremeLogits() {
    let result = hard([-.infinity, 2e38, 0] as [Float], [1], classes: 3, scale: 1)
    #expect(result.loss == 0)
    #expect(result.gradient == [0, 0, 0])
    let wrong = hard([0, 1000, 0] as [Float], [0], classes: 3, scale: 1)
    #expect(wrong.loss == 1000)
    #expect(wrong.gradient == [-1, 1, 0])
  }
}
