import Checkpoints
import Datasets
import EncoderModel
import Kernels
import TestSupport
import Testing
import Training

@Suite("Pretraining objective")
struct PretrainingObjectiveTests {
  private let corpus: TokenizedCorpus
  private let model: PretrainedModel
  private let objective: PretrainingObjective
  private let micro: PretrainingObjective.MicroBatch
  private let cropped: PretrainingObjective.MicroBatch

  init() throws {
    corpus = try SmallCorpus.corpus(SmallCorpus.texts(12))
    model = try SmallCorpus.model(corpus.tokenizer)
    // Weights of 0.02 leave attention nearly uniform; larger ones make every part matter.
    for parameter in model.weights.table.entries where parameter.name.hasSuffix("weight") {
      guard !parameter.name.contains("LayerNorm") else { continue }
      for i in parameter.range { model.weights.base[i] *= 10 }
    }
    objective = PretrainingObjective(
      encoder: model.encoder, maskedTokens: try #require(model.maskedTokenHead),
      bagOfWords: model.bagOfWordsHead, bagOfWordsTargets: BagOfWordsTargets(corpus),
      bagOfWordsWeight: 0.5, masking: MaskedLanguageModeling(rate: 0.3),
      crops: TextCrops(minimumPieces: 8), cropWeight: 0.7, corpus: corpus)
    var generator = SeededGenerator(seed: 2)
    micro = objective.prepare(corpus.training, isCropping: false, using: &generator)
    cropped = objective.prepare(corpus.training, using: &generator)
  }

  private func run(
    gradients: ParameterStore<Float>?, dropout: DropoutPlan? = nil, isCropped: Bool = false
  ) -> PretrainingObjective.Losses {
    objective.run(
      isCropped ? cropped : micro, weights: model.weights, gradients: gradients,
      maskedTotal: 2 * maskedCount, textTotal: 3 * textCount, pairTotal: 5 * cropped.pairs.count,
      arena: Arena<Float>(), dropout: dropout)
  }

  private var maskedCount: Int { micro.masked.positions.count }
  private var textCount: Int { corpus.training.count }

  @Test("a micro-batch has the masked tokens and the targets of its texts")
  func prepare() {
    #expect(micro.tokenCount == corpus.trainingTokenCount)
    #expect(micro.bag?.offsets.count == 13)
    // The bag is that of the text before masking.
    #expect(
      micro.bag?.columns
        == BagOfWordsTargets(corpus).targets(corpus.training.map { corpus.sequence($0) }).columns)
  }

  @Test("each crop has its own bag of words")
  func prepareCrops() throws {
    let (whole, halves) = (try #require(micro.bag), try #require(cropped.bag))
    #expect(cropped.pairs.count > 3 && micro.pairs.isEmpty)
    #expect(cropped.masked.batch.sequenceCount == textCount + cropped.pairs.count)
    // [CLS] and [SEP] once more for each text that was cut.
    #expect(cropped.tokenCount == micro.tokenCount + 2 * cropped.pairs.count)
    func rows(_ bag: BagOfWordsHead.Targets<Float>) -> [Set<Int32>] {
      zip(bag.offsets, bag.offsets.dropFirst()).map { Set(bag.columns[Int($0)..<Int($1)]) }
    }
    var joined = rows(halves)
    for row in cropped.pairs.reversed() {
      joined[Int(row)].formUnion(joined.remove(at: Int(row) + 1))
    }
    #expect(joined == rows(whole))
  }

  @Test("validation's path gives the losses of training's path", arguments: [false, true])
  func pathsAgree(isCropped: Bool) {
    let trained = run(gradients: ParameterStore(model.weights.table), isCropped: isCropped)
    let measured = run(gradients: nil, isCropped: isCropped)
    expectClose(trained.masked, measured.masked, relative: 1e-5, "masked")
    expectClose(trained.bagOfWords, measured.bagOfWords, relative: 1e-5, "bag of words")
    expectClose(trained.crops, measured.crops, relative: 1e-5, "crops")
    #expect(trained.pairCount == (isCropped ? cropped.pairs.count : 0))
    #expect(isCropped ? trained.crops > 0 : trained.crops == 0)
    if !isCropped { #expect(trained.maskedCount == maskedCount && trained.textCount == textCount) }
    #expect(trained.correct == measured.correct)
  }

  @Test(
    "each tensor's gradient is the derivative of the whole loss along a direction",
    arguments: [0.0, 0.3], [false, true])
  func gradient(dropoutRate: Double, isCropped: Bool) {
    let dropout = DropoutPlan(hiddenRate: dropoutRate, attentionRate: dropoutRate, key: 11)
    let gradients = ParameterStore<Float>(model.weights.table)
    _ = run(gradients: gradients, dropout: dropout, isCropped: isCropped)
    let scratch = ParameterStore<Float>(model.weights.table)
    func loss() -> Double {
      let losses = run(gradients: scratch, dropout: dropout, isCropped: isCropped)
      // The weights of the sum are those that `run` was given as totals.
      return losses.masked / Double(2 * maskedCount)
        + 0.5 * losses.bagOfWords / Double(3 * textCount)
        + 0.7 * losses.crops / Double(5 * cropped.pairs.count)
    }
    for parameter in model.weights.table.entries {
      let gradient = parameter.range.map { Double(gradients.base[$0]) }
      let norm = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let random = randomVector(parameter.count, seed: UInt64(parameter.offset + 1))
      let randomNorm = random.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let direction = zip(gradient, random).map { $0 / max(norm, 1e-12) + $1 / randomNorm }
      let expected = zip(gradient, direction).reduce(0) { $0 + $1.0 * $1.1 }
      let old = parameter.range.map { model.weights.base[$0] }
      let step = 4e-3
      func move(_ sign: Double) -> Double {
        for (i, place) in parameter.range.enumerated() {
          model.weights.base[place] = old[i] + Float(sign * step * direction[i])
        }
        return loss()
      }
      let numeric = (move(1) - move(-1)) / (2 * step)
      for (i, place) in parameter.range.enumerated() { model.weights.base[place] = old[i] }
      expectClose(numeric, expected, absolute: 3e-4, relative: 1e-2, parameter.name)
      // Adding a constant to all scores of a query changes no attention: no gradient for that bias.
      #expect(parameter.name.contains("key.bias") || norm > 1e-4, "no gradient: \(parameter.name)")
    }
  }

  @Test("without a bag of words the loss is that of masked tokens alone")
  func maskedOnly() throws {
    let alone = PretrainingObjective(
      encoder: model.encoder, maskedTokens: try #require(model.maskedTokenHead), bagOfWords: nil,
      bagOfWordsTargets: nil, bagOfWordsWeight: 0, masking: MaskedLanguageModeling(rate: 0.3),
      corpus: corpus)
    var generator = SeededGenerator(seed: 2)
    let micro = alone.prepare(corpus.training, using: &generator)
    #expect(micro.bag == nil)
    let gradients = ParameterStore<Float>(model.weights.table)
    let losses = alone.run(
      micro, weights: model.weights, gradients: gradients, maskedTotal: 1, textTotal: 1,
      arena: Arena<Float>(), dropout: nil)
    let both = run(gradients: nil)
    expectClose(losses.masked, both.masked, relative: 1e-5)
    #expect(losses.bagOfWords == 0 && losses.textCount == 0)
    let head = try #require(model.weights.table["bag_of_words.dense.weight"])
    #expect(head.range.allSatisfy { gradients.base[$0] == 0 })
  }
}
