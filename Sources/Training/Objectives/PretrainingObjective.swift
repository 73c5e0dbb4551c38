import Checkpoints
import Datasets
import EncoderModel
import Kernels

/// The loss of pretraining on one micro-batch: masked tokens, and the bag of words from the pooled
/// vector of the same forward pass.
package struct PretrainingObjective: Sendable {
  let encoder: TextEncoder
  let maskedTokens: MaskedTokenHead
  let bagOfWords: BagOfWordsHead?
  let bagOfWordsTargets: BagOfWordsTargets?
  let bagOfWordsWeight: Double
  let masking: MaskedLanguageModeling
  let corpus: TokenizedCorpus

  /// Puts the heads of a model together; without targets there is no bag of words.
  package init(
    encoder: TextEncoder, maskedTokens: MaskedTokenHead, bagOfWords: BagOfWordsHead?,
    bagOfWordsTargets: BagOfWordsTargets?, bagOfWordsWeight: Double,
    masking: MaskedLanguageModeling, corpus: TokenizedCorpus
  ) {
    self.encoder = encoder
    self.maskedTokens = maskedTokens
    self.bagOfWords = bagOfWords
    self.bagOfWordsTargets = bagOfWordsTargets
    self.bagOfWordsWeight = bagOfWordsWeight
    self.masking = masking
    self.corpus = corpus
  }

  /// One worker's share of a batch, masked and with its targets.
  package struct MicroBatch: Sendable {
    package var masked = MaskedLanguageModeling.MaskedBatch()
    package var bag: BagOfWordsHead.Targets<Float>?

    /// Number of real tokens.
    package var tokenCount: Int { masked.batch.tokenCount }
  }

  /// Summed losses of some micro-batches.
  package struct Losses: Sendable {
    package var masked = 0.0
    package var correct = 0
    package var maskedCount = 0
    package var bagOfWords = 0.0
    package var textCount = 0

    package static func += (a: inout Losses, b: Losses) {
      a.masked += b.masked
      a.correct += b.correct
      a.maskedCount += b.maskedCount
      a.bagOfWords += b.bagOfWords
      a.textCount += b.textCount
    }

    package var maskedMean: Double { masked / Double(max(1, maskedCount)) }
    package var bagOfWordsMean: Double { bagOfWords / Double(max(1, textCount)) }
  }

  /// Masks some sequences and builds their targets.
  package func prepare(_ sequences: [Int32], using generator: inout SeededGenerator) -> MicroBatch {
    let views = sequences.map { corpus.sequence($0) }
    let masked = masking.mask(views, vocabulary: corpus.tokenizer.vocabulary, using: &generator)
    return MicroBatch(masked: masked, bag: bagOfWordsTargets?.targets(views))
  }

  /// Runs one micro-batch.
  ///
  /// With `gradients`, adds the gradient of
  /// (masked loss) / `maskedTotal` + weight * (bag-of-words loss) / `textTotal`.
  package func run(
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
