import Checkpoints
import Datasets
import EncoderModel
import Kernels

/// The loss of pretraining on one micro-batch: masked tokens, and the bag of words from the pooled
/// vector of the same forward pass.
struct PretrainingObjective: Sendable {
  let encoder: TextEncoder
  let maskedTokens: MaskedTokenHead
  let bagOfWords: BagOfWordsHead?
  let bagOfWordsTargets: BagOfWordsTargets?
  let bagOfWordsWeight: Double
  let masking: MaskedLanguageModeling
  let corpus: TokenizedCorpus

  /// One worker's share of a batch, masked and with its targets.
  struct MicroBatch: Sendable {
    var masked = MaskedLanguageModeling.MaskedBatch()
    var bag: BagOfWordsHead.Targets<Float>?

    /// Number of real tokens.
    var tokenCount: Int { masked.batch.tokenCount }
  }

  /// Summed losses of some micro-batches.
  struct Losses: Sendable {
    var masked = 0.0
    var correct = 0
    var maskedCount = 0
    var bagOfWords = 0.0
    var textCount = 0

    static func += (a: inout Losses, b: Losses) {
      a.masked += b.masked
      a.correct += b.correct
      a.maskedCount += b.maskedCount
      a.bagOfWords += b.bagOfWords
      a.textCount += b.textCount
    }

    var maskedMean: Double { masked / Double(max(1, maskedCount)) }
    var bagOfWordsMean: Double { bagOfWords / Double(max(1, textCount)) }
  }

  /// Masks some sequences and builds their targets.
  func prepare(_ sequences: [Int32], using generator: inout SeededGenerator) -> MicroBatch {
    let views = sequences.map { corpus.sequence($0) }
    let masked = masking.mask(views, vocabulary: corpus.tokenizer.vocabulary, using: &generator)
    return MicroBatch(masked: masked, bag: bagOfWordsTargets?.targets(views))
  }

  /// Runs one micro-batch. With `gradients`, adds the gradient of
  /// (masked loss) / `maskedTotal` + weight * (bag-of-words loss) / `textTotal`.
  func run(
    _ micro: MicroBatch, weights: ParameterStore<Float>, gradients: ParameterStore<Float>?,
    maskedTotal: Int, textTotal: Int, arena: Arena<Float>, dropout: DropoutPlan?
  ) -> Losses {
    let batch = micro.masked.batch
    let width = encoder.configuration.hiddenSize
    var losses = Losses()
    losses.maskedCount = micro.masked.positions.count
    losses.textCount = micro.bag.map { $0.offsets.count - 1 } ?? 0
    guard batch.tokenCount > 0 else { return losses }
    arena.reset()
    var saved: TextEncoder.Saved<Float>?
    var dHidden: UnsafeMutablePointer<Float>?
    let hidden: UnsafeMutablePointer<Float>
    if gradients != nil {
      let forward = encoder.forward(batch, weights: weights, arena: arena, dropout: dropout)
      let d = arena.take(batch.tokenCount * width)
      d.update(repeating: 0, count: batch.tokenCount * width)
      (saved, dHidden, hidden) = (forward, d, forward.output)
    } else {
      hidden = encoder.infer(batch, weights: weights, arena: arena)
    }
    let pooled = runBagOfWords(
      micro, hidden: hidden, weights: weights, gradients: gradients, dHidden: dHidden,
      textTotal: textTotal, arena: arena)
    losses.bagOfWords = pooled
    let outcome = maskedTokens.run(
      hidden: hidden, positions: micro.masked.positions, targets: micro.masked.targets,
      weights: weights, gradients: gradients, dHidden: dHidden,
      gradientScale: 1 / Float(max(1, maskedTotal)), arena: arena)
    losses.masked = outcome.loss
    losses.correct = outcome.correct
    if let gradients, let saved, let dHidden {
      encoder.backward(
        dOutput: dHidden, saved: saved, batch: batch, weights: weights, gradients: gradients,
        arena: arena, dropout: dropout)
    }
    return losses
  }

  private func runBagOfWords(
    _ micro: MicroBatch, hidden: UnsafePointer<Float>, weights: ParameterStore<Float>,
    gradients: ParameterStore<Float>?, dHidden: UnsafeMutablePointer<Float>?, textTotal: Int,
    arena: Arena<Float>
  ) -> Double {
    guard let bagOfWords, let bag = micro.bag else { return 0 }
    let batch = micro.masked.batch
    let width = encoder.configuration.hiddenSize
    let mark = arena.mark
    defer { arena.release(to: mark) }
    let pooled = arena.take(batch.sequenceCount * width)
    let dPooled = arena.take(batch.sequenceCount * width)
    Pooling.mean.forward(pooled, hidden: hidden, batch: batch, width: width)
    dPooled.update(repeating: 0, count: batch.sequenceCount * width)
    let loss = bagOfWords.run(
      pooled: pooled, targets: bag, weights: weights, gradients: gradients,
      dPooled: gradients == nil ? nil : dPooled,
      gradientScale: Float(bagOfWordsWeight) / Float(max(1, textTotal)), arena: arena)
    if let dHidden {
      Pooling.mean.backward(
        dHidden: dHidden, dy: dPooled, hidden: hidden, batch: batch, width: width)
    }
    return loss
  }
}
