import Checkpoints
import Datasets
import EncoderModel
import Kernels
import Tokenization

/// Turns texts into vectors: an encoder's own, or whatever a model directory makes of them.
protocol TextVectorizer {
  /// Values a vector.
  var width: Int { get }
  /// The most tokens of a text that are looked at, [CLS] and [SEP] included.
  var maximumLength: Int { get }
  /// The columns of items, beside their texts, that the vectors depend on.
  var featureColumns: [String] { get }

  /// The vectors, (texts, width) row-major, and how many texts were cut.
  ///
  /// `features` has a row a text; columns that it lacks count as missing.
  func vectors(
    _ texts: [String], features: FeatureTable?
  ) throws -> (values: [Float], cutCount: Int)
}

/// An encoder with pooling, as sentence-transformers computes it for the same directory.
struct EncoderVectorizer: TextVectorizer {
  /// What the user may choose instead of the directory's own settings.
  struct Choices {
    var pooling: PoolingModes?
    var normalize: Bool?
    var maximumLength: Int?
    var prompt: String?
    var promptName: String?
    /// Whether every text is a batch of its own.
    var isExact = false
  }

  let width: Int
  let maximumLength: Int
  let featureColumns: [String] = []
  private let tokenizer: Tokenizer
  private let embedder: TextEmbedder
  private let workers: Workers
  private let prompt: String
  private let promptTokens: Int

  /// - Throws: ``CLIError`` for a length or a prompt that the model doesn't have.
  init(
    _ model: PretrainedModel, adapters: AdapterStack<Float>? = nil, choices: Choices,
    workers: Workers
  ) throws {
    let settings = model.sentence
    let positions = model.configuration.maximumPositions
    if let length = choices.maximumLength, length > positions {
      throw CLIError(
        "--max-length \(length) is more than the \(positions) positions of the model; give less")
    }
    maximumLength = choices.maximumLength ?? settings.maximumLength
    tokenizer = model.tokenizer
    self.workers = workers
    prompt = try EncoderVectorizer.prompt(choices, settings)
    promptTokens = model.promptTokenCount(prompt, maximumLength: maximumLength)
    embedder = model.embedder(
      pooling: choices.pooling, normalize: choices.normalize, adapters: adapters,
      workers: workers, batchTokens: choices.isExact ? 1 : 2048)
    width = embedder.width
  }

  private static func prompt(_ choices: Choices, _ settings: SentenceSettings) throws -> String {
    var prompt = choices.prompt ?? ""
    if choices.prompt == nil, let name = choices.promptName ?? settings.defaultPromptName {
      guard let known = settings.prompt(named: name) else {
        let names = settings.prompts.map(\.name).joined(separator: ", ")
        throw CLIError(
          "the model has no prompt \(name): --prompt-name; it has "
            + (names.isEmpty ? "none; give the text itself with --prompt" : names))
      }
      prompt = known
    }
    return prompt
  }

  func vectors(
    _ texts: [String], features: FeatureTable?
  ) throws -> (values: [Float], cutCount: Int) {
    let prompted = prompt.isEmpty ? texts : texts.map { prompt + $0 }
    // One token more than the model takes: a text that has it was cut.
    var sequences = tokenizer.encodeBatch(
      prompted, maximumLength: maximumLength + 1, threads: workers.count)
    var cutCount = 0
    for index in sequences.indices where sequences[index].count > maximumLength {
      sequences[index].remove(at: maximumLength - 1)
      cutCount += 1
    }
    return (embedder.embed(sequences, promptTokens: promptTokens), cutCount)
  }
}
