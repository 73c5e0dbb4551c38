import Checkpoints
import Datasets
import EncoderModel
import Kernels

/// The loss of pretraining on one micro-batch: masked tokens, and from the pooled vectors of the same
/// forward pass the bag of words and the contrast of crops.
package struct PretrainingObjective: Sendable {
  let encoder: TextEncoder
  let maskedTokens: MaskedTokenHead
  let bagOfWords: BagOfWordsHead?
  let bagOfWordsTargets: BagOfWordsTargets?
  let bagOfWordsWeight: Double
  let masking: MaskedLanguageModeling
  let crops: TextCrops?
  let cropWeight: Double
  let contrast = CropContrast()
  let corpus: TokenizedCorpus

  /// Puts the heads of a model together; without targets there is no bag of words, without crops no contrast.
  package init(
    encoder: TextEncoder, maskedTokens: MaskedTokenHead, bagOfWords: BagOfWordsHead?,
    bagOfWordsTargets: BagOfWordsTargets?, bagOfWordsWeight: Double,
    masking: MaskedLanguageModeling, crops: TextCrops? = nil, cropWeight: Double = 0,
    corpus: TokenizedCorpus
  ) {
    self.encoder = encoder
    self.maskedTokens = maskedTokens
    self.bagOfWords = bagOfWords
    self.bagOfWordsTargets = bagOfWordsTargets
    self.bagOfWordsWeight = bagOfWordsWeight
    self.masking = masking
    self.crops = crops
    self.cropWeight = cropWeight
    self.corpus = corpus
  }

  /// One worker's share of a batch, masked and with its targets.
  package struct MicroBatch: Sendable {
    package var masked = MaskedLanguageModeling.MaskedBatch()
    package var bag: BagOfWordsHead.Targets<Float>?
    /// The first sequence of each pair of crops.
    package var pairs: [Int32] = []

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
    package var crops = 0.0
    package var pairCount = 0

    package static func += (a: inout Losses, b: Losses) {
      a.masked += b.masked
      a.correct += b.correct
      a.maskedCount += b.maskedCount
      a.bagOfWords += b.bagOfWords
      a.textCount += b.textCount
      a.crops += b.crops
      a.pairCount += b.pairCount
    }

    package var maskedMean: Double { masked / Double(max(1, maskedCount)) }
    package var bagOfWordsMean: Double { bagOfWords / Double(max(1, textCount)) }
    package var cropMean: Double { crops / Double(max(1, pairCount)) }
  }

  /// Masks some sequences and builds their targets; `isCropping` cuts them first where crops are an objective.
  package func prepare(
    _ sequences: [Int32], isCropping: Bool = true, using generator: inout SeededGenerator
  ) -> MicroBatch {
    let views = sequences.map { corpus.sequence($0) }
    if let crops, isCropping {
      let cut = crops.cut(views, using: &generator)
      return MicroBatch(
        masked: masking.mask(
          cut.sequences, vocabulary: corpus.tokenizer.vocabulary, using: &generator),
        bag: bagOfWordsTargets?.targets(cut.sequences), pairs: cut.pairs)
    }
    let masked = masking.mask(views, vocabulary: corpus.tokenizer.vocabulary, using: &generator)
    return MicroBatch(masked: masked, bag: bagOfWordsTargets?.targets(views))
  }

  /// Runs one micro-batch.
  ///
  /// With `gradients`, adds the gradient of
  /// (masked loss) / `maskedTotal` + weight * (bag-of-words loss) / `textTotal` + weight * (contrast of
  /// crops) / `pairTotal`.
  package func run(
    _ micro: MicroBatch, weights: ParameterStore<Float>, gradients: ParameterStore<Float>?,
    maskedTotal: Int, textTotal: Int, pairTotal: Int = 0, arena: Arena<Float>, dropout: DropoutPlan?
  ) -> Losses {
    let batch = micro.masked.batch
    let width = encoder.configuration.hiddenSize
    var losses = Losses()
    losses.maskedCount = micro.masked.positions.count
    losses.textCount = micro.bag.map { $0.offsets.count - 1 } ?? 0
    losses.pairCount = micro.pairs.count
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
    (losses.bagOfWords, losses.crops) = runPooled(
      micro, hidden: hidden, weights: weights, gradients: gradients, dHidden: dHidden,
      textTotal: textTotal, pairTotal: pairTotal, arena: arena)
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

  /// The losses of the pooled vectors, bag of words and crops; writes the gradient of the hidden states.
  private func runPooled(
    _ micro: MicroBatch, hidden: UnsafePointer<Float>, weights: ParameterStore<Float>,
    gradients: ParameterStore<Float>?, dHidden: UnsafeMutablePointer<Float>?, textTotal: Int,
    pairTotal: Int, arena: Arena<Float>
  ) -> (bagOfWords: Double, crops: Double) {
    guard bagOfWords != nil && micro.bag != nil || !micro.pairs.isEmpty else { return (0, 0) }
    let batch = micro.masked.batch
    let width = encoder.configuration.hiddenSize
    let mark = arena.mark
    defer { arena.release(to: mark) }
    let pooled = arena.take(batch.sequenceCount * width)
    let dPooled = arena.take(batch.sequenceCount * width)
    Pooling.mean.forward(pooled, hidden: hidden, batch: batch, width: width)
    dPooled.update(repeating: 0, count: batch.sequenceCount * width)
    var words = 0.0
    if let bagOfWords, let bag = micro.bag {
      words = bagOfWords.run(
        pooled: pooled, targets: bag, weights: weights, gradients: gradients,
        dPooled: gradients == nil ? nil : dPooled,
        gradientScale: Float(bagOfWordsWeight) / Float(max(1, textTotal)), arena: arena)
    }
    let crops = contrast.run(
      pooled: pooled, pairs: micro.pairs, width: width,
      dPooled: gradients == nil ? nil : dPooled,
      gradientScale: Float(cropWeight) / Float(max(1, pairTotal)), arena: arena)
    if let dHidden {
      Pooling.mean.backward(
        dHidden: dHidden, dy: dPooled, hidden: hidden, batch: batch, width: width)
    }
    return (words, crops.loss)
  }
}
