import ArgumentParser
import Checkpoints
import Datasets
import EncoderModel
import Foundation
import Kernels
import Tokenization
import Training

/// `encoder pretrain`: corpus -> checkpoint.
struct PretrainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pretrain",
    abstract: "Pretrains an encoder on texts by masked-language modelling.",
    discussion: """
      Writes checkpoints/NAME and vocab/NAME.txt, NAME being the first corpus file's name, or the \
      directory that --output names. The directory loads in transformers and sentence-transformers.
      """)

  @Argument(
    help:
      "One text a line, or .csv, .tsv, .jsonl with a text column; .gz is read, - is standard input."
  )
  var corpus: [String]

  @Option(help: "Directory for the checkpoint.")
  var output: String?

  @Option(help: "Model size: tiny (2x128), mini (4x256), small (4x512), base (12x768).")
  var preset: EncoderPreset = .mini

  @Option(help: "Vocabulary file to use; without it one is trained on the corpus.")
  var vocab: String?

  @Option(help: "Pieces of the vocabulary that is trained.")
  var vocabSize = 8192

  @Flag(help: "Keep upper case and accents.")
  var cased = false

  @Option(help: "Continue from this BERT checkpoint, with its tokenizer.")
  var from: String?

  @OptionGroup var reading: CorpusOptions

  @OptionGroup var length: RunLengthOptions

  @Option(
    help: """
      Objectives, separated by commas: mlm (always), bow (bag of words of the pooled vector), crops (the \
      vectors of two halves of a text find each other).
      """)
  var objective = "mlm,bow"

  @Option(help: "Weight of the bow objective beside mlm.")
  var bowWeight = 0.5

  @Option(help: "Weight of the crops objective beside mlm.")
  var cropWeight = 0.5

  @Option(help: "Share of pieces that are masked.")
  var maskRate = 0.15

  @Flag(help: "Mask whole words.")
  var wholeWord = false

  @Option(help: "Dropout in training; by default none, or that of the model of --from.")
  var dropout: Double?

  @Option(
    help: """
      Tokens in one optimizer step; by default 2048, and 8192 with crops, which find each other among \
      those of the step.
      """)
  var batchTokens: Int?

  @Option(help: "Longest sequence in tokens; longer texts are split.")
  var maxLength = 128

  @Option(help: "Peak learning rate; by default it follows the model's width.")
  var learningRate: Double?

  @OptionGroup var shared: RunOptions

  func validate() throws {
    guard !corpus.isEmpty else { throw ValidationError("Give at least one corpus file.") }
    guard maskRate > 0, maskRate < 1 else {
      throw ValidationError("--mask-rate must lie between 0 and 1.")
    }
    guard dropout ?? 0 >= 0, dropout ?? 0 < 1 else {
      throw ValidationError("--dropout must be at least 0 and below 1.")
    }
    try FlagLimits.check("--max-length", maxLength, FlagLimits.textLength)
    try FlagLimits.check("--batch-tokens", tokensPerStep, FlagLimits.batchTokens)
    guard tokensPerStep >= maxLength else {
      throw ValidationError("--max-length must be at most --batch-tokens.")
    }
    try FlagLimits.check("--vocab-size", vocabSize, 100...FlagLimits.pieces.upperBound)
    let known = ["mlm", "bow", "crops"]
    guard objectives.contains("mlm"), objectives.allSatisfy(known.contains) else {
      throw ValidationError("--objective must name mlm, and may name bow and crops.")
    }
    guard from == nil || (vocab == nil && !cased) else {
      throw ValidationError("--from brings its own vocabulary; leave out --vocab and --cased.")
    }
    guard learningRate ?? 1 > 0, learningRate ?? 1 < .infinity else {
      throw ValidationError("--learning-rate must be above 0.")
    }
    guard bowWeight >= 0, bowWeight < .infinity else {
      throw ValidationError("--bow-weight must be at least 0.")
    }
    guard cropWeight >= 0, cropWeight < .infinity else {
      throw ValidationError("--crop-weight must be at least 0.")
    }
    guard corpus.filter({ $0 == "-" }).count <= 1 else {
      throw ValidationError("Standard input (-) can be named once.")
    }
  }

  func run() async throws {
    let stop = StopSignals()
    BLAS.useSingleThread()
    let display = ProgressDisplay(quiet: shared.quiet, json: shared.json)
    let directory = PretrainingDirectory(outputDirectory)
    if shared.resume {
      guard directory.hasState else {
        throw CLIError(
          "there is no training state to resume: \(directory.url.path); "
            + "leave out --resume, or name the run's directory by --output")
      }
    } else {
      try OutputCheck.directory(directory.url)
    }
    try CorpusReading.check(corpus)
    if let notice = KernelNotice.current { display.line(notice) }
    directory.removeLeftovers()
    var files: [(path: String, isTemporary: Bool)] = []
    defer { for file in files where file.isTemporary { unlink(file.path) } }
    for file in corpus { files.append(try CorpusReading.spooled(file, stop: stop)) }
    let job = PretrainingJob(
      command: self, files: files.map(\.path), directory: directory, display: display)
    let finished = try job.run(stop: stop)
    display.close()
    if let code = stop.exitCode, !finished {
      display.line("saved; continue with --resume")
      throw ExitCode(code)
    }
  }

  /// What --objective names.
  var objectives: [String] { objective.split(separator: ",").map(String.init) }

  /// Tokens in one optimizer step, --batch-tokens or what the objectives need.
  var tokensPerStep: Int { batchTokens ?? (objectives.contains("crops") ? 8192 : 2048) }

  /// The name that stands for the corpus: its file's name without endings.
  var corpusName: String {
    let first = corpus.first ?? "corpus"
    guard first != "-" else { return "corpus" }
    let name = URL(fileURLWithPath: first).lastPathComponent
    return name.split(separator: ".", omittingEmptySubsequences: true).first.map(String.init)
      ?? "corpus"
  }

  private var outputDirectory: URL {
    URL(fileURLWithPath: output ?? "checkpoints/\(corpusName)")
  }
}

extension EncoderPreset: ExpressibleByArgument {}
