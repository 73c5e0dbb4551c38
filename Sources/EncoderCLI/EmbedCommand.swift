import ArgumentParser
import Checkpoints
import Datasets
import EncoderModel
import Foundation
import Kernels
import Recommendation

/// `encoder embed`: texts -> vectors.
struct EmbedCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "embed",
    abstract: "Turns texts into vectors.",
    discussion: """
      One vector a text, blank ones too, in input order. Without --output: one JSON object a line, \
      {"id":"...","embedding":[...]}, on standard output; the id is the item_id of a CSV, TSV or JSONL \
      file, else the line's number from 0. A directory gives what SentenceTransformer gives for it; a \
      fine-tuned model its items' vectors, by text and by the columns of its training that the file has.
      """)

  @Option(help: "A model's directory; else the newest under ./checkpoints, else the starter.")
  var model: String?

  @Option(help: "A text to embed; may be repeated.")
  var text: [String] = []

  @Argument(
    help:
      "One text a line, or .csv, .tsv, .jsonl with a text column; .gz is read too, - is standard input."
  )
  var file: String?

  @Option(
    help:
      "Where the vectors go: F.npy, .safetensors, .jsonl, .csv, .fvecs, .faiss (flat index), .pgcopy or .pgbin (PostgreSQL's COPY, text or binary, for pgvector)."
  )
  var output: String?

  @Option(help: "What an index of .faiss compares by: ip (inner product) or l2.")
  var metric = VectorMetric.ip

  @OptionGroup var reading: CorpusOptions

  @Option(
    help: "Tokens of a text, [CLS] and [SEP] counted; longer ones are cut. By default the model's.")
  var maxLength: Int?

  @Option(
    help: ArgumentHelp(
      "How token states become a vector: \(Pooling.allCases.map(\.rawValue).joined(separator: ", ")), or "
        + "several, joined by +. By default the model's, which may have dense layers after it."))
  var pooling: PoolingModes?

  @Flag(inversion: .prefixedNo, help: "Scale vectors to length 1. By default the model's.")
  var normalize: Bool?

  @Option(help: "A text to put before each text.")
  var prompt: String?

  @Option(help: "The name of one of the model's prompts.")
  var promptName: String?

  @OptionGroup var adapters: AdapterOptions

  @Flag(help: "Of a fine-tuned model: the frozen encoder's vectors, not the item tower's.")
  var base = false

  @Flag(
    help:
      "Compute every text by itself, so that its vector has the same bytes in any company on any processor; slower."
  )
  var exact = false

  @OptionGroup var shared: SharedOptions

  func validate() throws {
    guard text.isEmpty != (file == nil) else {
      throw ValidationError("Give --text or one FILE (- is standard input).")
    }
    guard maxLength ?? 3 >= 3 else { throw ValidationError("--max-length must be at least 3.") }
    guard prompt == nil || promptName == nil else {
      throw ValidationError("Give one of --prompt and --prompt-name.")
    }
  }

  func run() throws {
    BLAS.useSingleThread()
    let display = ProgressDisplay(quiet: shared.quiet, json: shared.json)
    if let output {
      _ = try VectorFormat(URL(fileURLWithPath: output))
      try OutputCheck.file(output)
    }
    let choice = try ModelLocator().locate(model, includingRecommenders: true)
    if let notice = choice.notice { display.line(notice) }
    let vectorizer = try vectorizer(choice.url, display)
    var job = EmbeddingJob(
      vectorizer: vectorizer, output: output.map { URL(fileURLWithPath: $0) }, metric: metric,
      display: display)
    if let file {
      var options = reading.options
      options.allowsNoText = true
      options.featureColumns = vectorizer.featureColumns
      try job.embed(TextSource(path: file, options: options))
    } else {
      try job.embed(text, ids: nil)
    }
    try job.finish(json: shared.json)
  }

  /// The item tower of a fine-tuned model; the encoder with its pooling otherwise.
  private func vectorizer(_ directory: URL, _ display: ProgressDisplay) throws -> any TextVectorizer
  {
    let isRecommender = RecommenderDirectory.isRecommender(directory)
    guard isRecommender, !base else {
      let choices = EncoderVectorizer.Choices(
        pooling: pooling, normalize: normalize, maximumLength: maxLength, prompt: prompt,
        promptName: promptName, isExact: exact)
      let url = isRecommender ? directory.appendingPathComponent("base") : directory
      let model = try PretrainedModel.load(from: url, storage: .mapping)
      return try EncoderVectorizer(
        model, adapters: adapters.load(over: model, display), choices: choices,
        workers: shared.workers)
    }
    let given: [(String, Bool)] = [
      ("--pooling", pooling != nil), ("--normalize", normalize != nil),
      ("--max-length", maxLength != nil), ("--prompt", prompt != nil),
      ("--prompt-name", promptName != nil), ("--adapter", !adapters.adapter.isEmpty),
    ]
    if let flag = given.first(where: \.1)?.0 {
      throw CLIError(
        "a fine-tuned model fixes how its vectors are made: \(flag); leave it out, or add --base")
    }
    return RecommenderVectorizer(
      recommender: try Recommender.load(from: directory, workers: shared.workers),
      workers: shared.workers, isExact: exact)
  }
}

extension PoolingModes: ExpressibleByArgument {
  /// Reads names joined by +, such as `cls+mean`.
  public init?(argument: String) {
    let names = argument.split(separator: "+", omittingEmptySubsequences: false)
    let modes = names.compactMap { Pooling(rawValue: String($0)) }
    guard modes.count == names.count else { return nil }
    self.init(modes)
  }
}
extension VectorMetric: ExpressibleByArgument {}
