public import EncoderModel
public import Kernels
public import Tokenization

/// A model directory in memory: encoder, weights, tokenizer, and how texts become vectors.
///
/// Any BERT checkpoint of transformers or sentence-transformers can be loaded, and what is written
/// loads there. The weights are shared by reference: training changes them in place, which is why it needs
/// a model whose ``WeightStorage`` is memory.
///
///     let model = try PretrainedModel.load(from: URL(fileURLWithPath: "checkpoints/books"))
///     print(model.configuration.hiddenSize, model.tokenizer.vocabulary.count)
public struct PretrainedModel: Sendable {
  /// Sizes and constants.
  public let configuration: EncoderConfiguration
  /// Where the encoder's tensors are in ``weights``.
  public let encoder: TextEncoder
  /// All tensors: the encoder's, then those of the heads, under Hugging Face's names without `bert.`.
  public let weights: ParameterStore<Float>
  /// The masked-language-modelling head, where it was asked for.
  public let maskedTokenHead: MaskedTokenHead?
  /// The bag-of-words head, where it was asked for.
  public let bagOfWordsHead: BagOfWordsHead?
  /// Text to token ids.
  public let tokenizer: Tokenizer
  /// Pooling, normalisation, length and prompts.
  public let sentence: SentenceSettings
  /// Names of the tensors that no file had and that were drawn at random; empty without heads.
  public let newTensors: [String]

  /// A model's structure before it has weights.
  struct Plan {
    let encoder: TextEncoder
    let maskedTokenHead: MaskedTokenHead?
    let bagOfWordsHead: BagOfWordsHead?
    let table: ParameterTable

    init(_ configuration: EncoderConfiguration, heads: HeadSelection, tiesDecoder: Bool = true) {
      var table = ParameterTable()
      encoder = TextEncoder(configuration, in: &table)
      maskedTokenHead =
        heads.contains(.maskedTokens)
        ? MaskedTokenHead(encoder, tiesDecoder: tiesDecoder, in: &table) : nil
      bagOfWordsHead = heads.contains(.bagOfWords) ? BagOfWordsHead(encoder, in: &table) : nil
      self.table = table
    }
  }

  init(
    plan: Plan, weights: ParameterStore<Float>, tokenizer: Tokenizer, sentence: SentenceSettings,
    newTensors: [String]
  ) {
    configuration = plan.encoder.configuration
    encoder = plan.encoder
    maskedTokenHead = plan.maskedTokenHead
    bagOfWordsHead = plan.bagOfWordsHead
    self.weights = weights
    self.tokenizer = tokenizer
    self.sentence = sentence
    self.newTensors = newTensors
  }

  /// Creates a model with both pretraining heads and random weights; a seed gives one model.
  ///
  /// - Throws: ``CheckpointError`` when sizes are out of range or the vocabulary is larger than the
  ///   configuration says.
  public static func create(
    configuration: EncoderConfiguration, tokenizer: Tokenizer,
    sentence: SentenceSettings = SentenceSettings(), seed: UInt64
  ) throws -> PretrainedModel {
    let place = "new model"
    try ConfigurationFile.check(configuration, path: place)
    try check(tokenizer, configuration, path: place)
    let plan = Plan(configuration, heads: .trainable)
    let weights = ParameterStore<Float>(plan.table)
    var generator = SeedGenerator(seed: seed)
    Initialization.fill(weights, deviation: configuration.initializerRange, using: &generator)
    var sentence = sentence
    sentence.maximumLength = min(sentence.maximumLength, configuration.maximumPositions)
    return PretrainedModel(
      plan: plan, weights: weights, tokenizer: tokenizer, sentence: sentence,
      newTensors: plan.table.entries.map(\.name))
  }

  /// Every id that the tokenizer can give must have a row in the embedding table.
  static func check(
    _ tokenizer: Tokenizer, _ configuration: EncoderConfiguration, path: String
  ) throws {
    guard tokenizer.vocabulary.count <= configuration.vocabularySize else {
      throw CheckpointError(
        "the vocabulary has \(tokenizer.vocabulary.count) tokens, the model only "
          + "\(configuration.vocabularySize) (vocab_size)", path: path,
        advice: "use the vocabulary that the model was trained with")
    }
  }
}
