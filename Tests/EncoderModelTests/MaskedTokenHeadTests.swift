import EncoderModel
import Kernels
import TestSupport
import Testing

/// The MLM head where it works in blocks of rows.
@Suite struct MaskedTokenHeadTests {
  @Test(arguments: [0, 1, 255, 256, 257, 600])
  func blocksAddUp(_ count: Int) {
    let model = SmallModel<Double>(seed: 12)
    let hidden = model.infer(model.batch)
    let width = model.encoder.configuration.hiddenSize
    let positions = (0..<count).map { Int32($0 * 5 % model.batch.tokenCount) }
    let targets = (0..<count).map { Int32($0 * 3 % 11) }

    func run(
      _ rows: Range<Int>, _ gradients: ParameterStore<Double>, _ dHidden: inout [Double]
    ) -> MaskedTokenHead.Outcome {
      model.masked.run(
        hidden: hidden, positions: Array(positions[rows]), targets: Array(targets[rows]),
        weights: model.weights, gradients: gradients, dHidden: &dHidden, gradientScale: 0.5,
        arena: model.arena)
    }

    var together = [Double](repeating: 0, count: hidden.count)
    let outcome = run(0..<count, model.gradients, &together)
    let gradients = ParameterStore<Double>(model.weights.table)
    var apart = [Double](repeating: 0, count: hidden.count)
    var (loss, correct) = (0.0, 0)
    for row in 0..<count {
      let one = run(row..<(row + 1), gradients, &apart)
      loss += one.loss
      correct += one.correct
    }
    expectClose(outcome.loss, loss, absolute: 1e-12, relative: 1e-12, "loss")
    #expect(outcome.correct == correct)
    expectClose(together, apart, absolute: 1e-10, relative: 1e-10, "dHidden")
    expectClose(
      Array(model.gradients.values), Array(gradients.values), absolute: 1e-10, relative: 1e-10,
      "gradients")
    #expect(together.count == model.batch.tokenCount * width)
    #expect(together.contains { $0 != 0 } == (count > 0))
  }

  @Test func lossIsThatOfItsLogits() {
    let model = SmallModel<Double>(seed: 13)
    let hidden = model.infer(model.batch)
    let (positions, targets): ([Int32], [Int32]) = ([2, 9, 15], [10, 0, 4])
    let logits = model.masked.logits(
      hidden: hidden, positions: positions, weights: model.weights, arena: model.arena)
    var expected = 0.0
    for row in 0..<3 {
      let scores = array(logits + row * 11, 11)
      let total = scores.reduce(0) { $0 + Double.exp($1) }
      expected += Double.log(total) - scores[Int(targets[row])]
    }
    let outcome = model.masked.run(
      hidden: hidden, positions: positions, targets: targets, weights: model.weights,
      gradients: nil, dHidden: nil, gradientScale: 1, arena: model.arena)
    expectClose(outcome.loss, expected, relative: 1e-12)
  }
}
