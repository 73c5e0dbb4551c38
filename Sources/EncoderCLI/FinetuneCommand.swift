import ArgumentParser
import Checkpoints
import Datasets
import EncoderModel
import Foundation
import Kernels
import Recommendation
import Training

/// `encoder finetune`: an encoder and behaviours -> a recommender.
struct FinetuneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "finetune",
    abstract: "Fine-tunes a recommender on behaviours.",
    discussion: """
      The encoder stays frozen, unless by --adapter full; adapters in its last layers, towers and the \
      fusion of their scores with collaborative and lexical ones are learned. Writes checkpoints/NAME-rec, NAME being the behaviours \
      file's name, or the directory that --output names: all that recommend, score, evaluate and embed \
      need.
      """)

  @Argument(
    help: "Behaviours: user_id,item_id and optionally label, timestamp; .gz and - are read too.")
  var behaviors: String

  @Option(help: "Items: item_id, text (or title, description) and feature columns.")
  var items: String?

  @Option(
    help:
      "Vectors of the items, of images for example: .npy or .safetensors, with the item ids in NAME.ids.txt; may be repeated."
  )
  var itemVectors: [String] = []

  @Option(help: "Users: user_id and feature columns.")
  var users: String?

  @Option(help: "Encoder to start from; else the newest checkpoint, else the starter.")
  var from: String?

  @Option(help: "Directory for the recommender.")
  var output: String?

  @Option(
    help:
      "What of the encoder is tuned: bottleneck, houlsby, parallel, lora, ia3, bitfit, full or none."
  )
  var adapter: AdapterKind = .bottleneck

  @Option(help: "Width of the adapters bottleneck, houlsby and parallel.")
  var bottleneck = 64

  @Option(help: "Rank of --adapter lora.")
  var rank = 8

  @Option(help: "LoRA's alpha; its changes are scaled by alpha / rank.")
  var alpha = 16.0

  @Option(help: "Upper layers that get an adapter; full takes all of them.")
  var adapterLayers = 2

  @Option(help: "AdamW's learning rate of the adapter (default: what suits its kind).")
  var adapterLearningRate: Double?

  @Option(
    help: "softmax (implicit feedback), bpr, bce (labels 0 and 1) or mse (ratings).")
  var loss: TowerLoss = .softmax

  @Option(
    parsing: .unconditional,
    help: "A label of at least this is positive (default: from the labels, and printed).")
  var positiveLabel: Double?

  @Option(help: "Leave out users and items with fewer rows than this, until none is left.")
  var core = 0

  @Option(help: "Minutes for training towers and adapters (default: 8, without --epochs).")
  var minutes: Double?

  @Option(help: "Passes of the towers over the behaviours, at most; then no clock limits training.")
  var epochs: Int?

  @Option(
    help:
      "Write a checkpoint at the end of an epoch when so many steps have passed; by default a minute."
  )
  var saveEvery: Int?

  @Flag(help: "Continue the run whose state is in the output directory.")
  var resume = false

  @Option(help: "Longest text in tokens.")
  var maxLength = 128

  @Option(help: "Seed of everything random.")
  var seed: UInt64 = 42

  @OptionGroup var shared: SharedOptions
  @OptionGroup var columns: BehaviorColumns

  func validate() throws {
    try FlagLimits.check("--minutes", minutes, atMost: FlagLimits.minutes)
    try FlagLimits.check("--epochs", epochs, FlagLimits.epochs)
    try FlagLimits.check("--save-every", saveEvery, FlagLimits.steps)
    guard minutes == nil || epochs == nil else {
      throw ValidationError("Give one of --minutes and --epochs.")
    }
    try FlagLimits.check("--bottleneck", bottleneck, FlagLimits.width)
    try FlagLimits.check("--rank", rank, FlagLimits.width)
    try FlagLimits.check("--adapter-layers", adapterLayers, FlagLimits.width)
    guard abs(alpha) <= 1e6, alpha != 0 else {
      throw ValidationError("--alpha must not be 0, and at most 1000000.")
    }
    try FlagLimits.check("--adapter-learning-rate", adapterLearningRate, atMost: 10)
    try FlagLimits.checkFinite("--positive-label", positiveLabel)
    guard core >= 0 else { throw ValidationError("--core is \(core); give 0 or more.") }
    try FlagLimits.check("--max-length", maxLength, FlagLimits.textLength)
  }

  func run() throws {
    let (start, stop) = (Date(), StopSignals())
    BLAS.useSingleThread()
    let display = ProgressDisplay(quiet: shared.quiet, json: shared.json)
    let target = outputDirectory
    try OutputCheck.directory(target)
    RecommenderDirectory.recover(target)
    let checkpoint = try FinetuneCheckpoint(target, saveEvery: saveEvery, resumes: resume)
    let choice = try ModelLocator().locate(from)
    if let notice = choice.notice { display.line(notice) }
    if let notice = KernelNotice.current { display.line(notice) }
    let model = try PretrainedModel.load(from: choice.url)
    let input = try FinetuneReading(command: self).read(display)
    let trainer = Finetuner(
      model: model, options: options, checkpoint: checkpoint,
      report: { progress in
        switch progress {
        case .note(let text): display.line(text)
        case .epoch(let record):
          display.line(
            String(
              format: "        %@ %d: loss %.4f, validation %.4f", record.stage, record.epoch,
              record.loss, record.validation))
        }
      }, shouldStop: { stop.exitCode != nil })
    let recommender: Recommender
    do { recommender = try trainer.run(input) } catch is FinetuneInterrupted {
      display.line(
        checkpoint.isResumable
          ? "saved the last whole epoch: \(target.path); the same command with --resume continues"
          : "stopped before an epoch was whole; nothing was saved")
      throw ExitCode(stop.exitCode ?? 1)
    }
    let (records, name) = (recommender.records, target.lastPathComponent)
    let report = RecommenderReport(
      recommender, evaluation: recommender.validation, records: records, name: name,
      workers: shared.workers)
    try recommender.write(
      to: target,
      modelCard: RecommenderCard(recommender, name: name, behaviors: behaviors, from: choice.url)
        .text,
      extras: [
        (FinetuneLog.name, try FinetuneLog.text(records)),
        (RecommenderReport.fileName, try report.page().html),
      ],
      binaries: [
        (
          EventFile.name,
          EventFile.bytes(FinetuneLog.events(records), start: start.timeIntervalSince1970)
        )
      ])
    display.line("wrote \(target.path)")
    display.close()
  }

  private var outputDirectory: URL {
    if let output { return URL(fileURLWithPath: output) }
    let name = URL(fileURLWithPath: behaviors).lastPathComponent
    let stem = name.split(separator: ".").first.map(String.init) ?? "behaviors"
    return URL(fileURLWithPath: "checkpoints/\(behaviors == "-" ? "behaviors" : stem)-rec")
  }

  private var options: FinetuneOptions {
    var options = FinetuneOptions()
    options.towers.loss = loss
    options.towers.seed = seed
    if let epochs { options.towers.maximumEpochs = epochs }
    options.adapters.bottleneck = bottleneck
    options.adapters.layers = adapterLayers
    options.adapters.rank = rank
    options.adapters.alpha = alpha
    options.adapters.learningRate = adapterLearningRate
    options.adapters.seed = seed
    options.adapterKind = adapter
    options.minutes = epochs == nil ? minutes ?? 8 : nil
    options.maximumLength = maxLength
    options.seed = seed
    options.threads = shared.workers.count
    return options
  }
}

extension AdapterKind: ExpressibleByArgument {}
extension TowerLoss: ExpressibleByArgument {}
