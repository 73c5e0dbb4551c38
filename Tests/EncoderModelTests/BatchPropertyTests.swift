import EncoderModel
import Kernels
import TestSupport
import Testing

/// What must hold for any weights and any batch.
@Suite struct BatchPropertyTests {
  static let lengths: [[Int]] = [[1], [8], [1, 1, 1], [5, 1, 7, 3], [2, 8, 8, 1, 6, 4, 3]]

  @Test(arguments: lengths)
  func packedBatchIsOneByOne(_ lengths: [Int]) {
    let double = SmallModel<Double>(seed: 2, lengths: lengths)
    let float = SmallModel<Float>(seed: 2, lengths: lengths)
    expectClose(double.infer(double.batch), alone(double), absolute: 1e-12, "Double")
    expectClose(float.infer(float.batch), alone(float), absolute: 2e-6, "Float")
  }

  private func alone<S: KernelScalar>(_ model: SmallModel<S>) -> [S] {
    (0..<model.batch.sequenceCount).flatMap { model.infer(model.batch.alone($0)) }
  }

  @Test(arguments: lengths)
  func permutedBatchPermutesTheResult(_ lengths: [Int]) {
    let model = SmallModel<Float>(seed: 3, lengths: lengths)
    let (batch, width) = (model.batch, model.encoder.configuration.hiddenSize)
    var generator = SplitMix64(4)
    let order = (0..<batch.sequenceCount).shuffled(using: &generator)
    var permuted = PackedBatch()
    for index in order {
      let one = batch.alone(index)
      permuted.append(one.ids, typeIDs: one.typeIDs)
    }
    let result = model.infer(batch)
    let expected = order.flatMap {
      result[(Int(batch.offsets[$0]) * width)..<(Int(batch.offsets[$0 + 1]) * width)]
    }
    expectClose(model.infer(permuted), expected, absolute: 2e-6)
  }

  @Test(arguments: lengths)
  func inferenceIsTheForwardPass(_ lengths: [Int]) {
    let model = SmallModel<Float>(seed: 6, lengths: lengths)
    for adapted in [false, true] {
      #expect(
        model.infer(model.batch, adapted: adapted) == model.forward(model.batch, adapted: adapted))
    }
  }

  @Test(arguments: 0...3)
  func layersRunInTwoPartsAreTheWhole(_ split: Int) {
    let model = SmallModel<Float>(seed: 7, layers: 3)
    let whole = model.infer(model.batch)
    model.arena.reset()
    let lower = model.encoder.infer(
      model.batch, weights: model.weights, adapters: model.stack, layers: 0..<split,
      arena: model.arena)
    let upper = model.encoder.infer(
      model.batch, weights: model.weights, adapters: model.stack, layers: split..<3,
      hidden: lower, arena: model.arena)
    #expect(array(upper, model.count(model.batch)) == whole)
  }

  @Test func inferenceLeavesItsInputAsItWas() {
    let model = SmallModel<Float>(seed: 8, layers: 4)
    let lower = model.encoder.infer(
      model.batch, weights: model.weights, layers: 0..<1, arena: model.arena)
    let before = array(lower, model.count(model.batch))
    _ = model.encoder.infer(
      model.batch, weights: model.weights, layers: 1..<4, hidden: lower, arena: model.arena)
    #expect(array(lower, model.count(model.batch)) == before)
  }

  @Test func sequencesDoNotSeeEachOther() {
    let model = SmallModel<Float>(seed: 9)
    let before = model.infer(model.batch)
    var changed = model.batch
    let first = Int(changed.offsets[1])
    for i in 0..<first { changed.replace(at: i, with: (changed.ids[i] + 1) % 11) }
    let after = model.infer(changed)
    let boundary = first * model.encoder.configuration.hiddenSize
    #expect(after[..<boundary] != before[..<boundary])
    #expect(after[boundary...] == before[boundary...])
  }

  @Test func wordOrderAndTokenTypesMatter() {
    let model = SmallModel<Float>(seed: 10)
    let ids: [Int32] = [3, 4, 5]
    let plain = model.infer(PackedBatch([ids]))
    #expect(model.infer(PackedBatch([ids.reversed()])) != plain)
    var zeros = PackedBatch()
    zeros.append(ids, typeIDs: [0, 0, 0])
    #expect(model.infer(zeros) == plain)
    var typed = PackedBatch()
    typed.append(ids, typeIDs: [0, 1, 1])
    #expect(model.infer(typed) != plain)
  }

  @Test func emptySequencesTakeNoPlace() {
    let model = SmallModel<Float>(seed: 11)
    let full = PackedBatch([[1, 2, 3], [4, 5]])
    let gaps = PackedBatch([[], [1, 2, 3], [], [4, 5], []])
    #expect(model.infer(gaps) == model.infer(full))
    #expect(model.forward(gaps) == model.forward(full))
  }
}
