import EncoderModel
import Kernels
import TestSupport
import Testing

/// The gradient of the embeddings, which attributions are made of, against central differences in Double.
@Suite struct InputGradientTests {
  @Test("With and without adapters, from the first layer and from the second", arguments: [0, 1])
  func againstDifferences(_ first: Int) {
    for adapted in [true, false] {
      let model = SmallModel<Double>(seed: 11)
      let batch = model.batch
      let count = model.count(batch)
      let projection = randomVector(count, seed: 3)
      let input = randomVector(count, seed: 4)
      let stack = adapted ? model.stack : nil
      func pass(_ values: [Double]) -> (TextEncoder.Saved<Double>, Double) {
        model.arena.reset()
        let hidden = model.arena.take(count)
        hidden.update(from: values, count: count)
        let saved = model.encoder.forward(
          from: first, hidden: hidden, batch: batch, weights: model.weights, adapters: stack,
          arena: model.arena, dropout: nil)
        let output = (0..<count).map { saved.output[$0] }
        return (saved, GradientCheck.project(output, on: projection))
      }
      let (saved, _) = pass(input)
      let dOutput = model.arena.take(count)
      dOutput.update(from: projection, count: count)
      let gradient = model.encoder.inputGradient(
        dOutput: dOutput, saved: saved, batch: batch, weights: model.weights, adapters: stack,
        arena: model.arena)
      let found = (0..<count).map { gradient[$0] }
      GradientCheck().expect(
        "embeddings, adapters \(adapted)", input: input, gradient: found
      ) { pass($0).1 }
    }
  }
}
