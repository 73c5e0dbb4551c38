import ArgumentParser
import Datasets
import Foundation
import Kernels
import Recommendation

/// `encoder update`: new behaviours into a fine-tuned model, as a new version.
struct UpdateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "update",
    abstract: "Folds new behaviours into a fine-tuned model.",
    discussion: """
      The collaborative models are solved again, towers and adapters are trained further from where \
      they are, on the new behaviours and a sample of the old ones. The newest behaviours are held out \
      and judge: the result becomes the version in use, DIR/versions/NAME, if it isn't worse than the \
      present one. Prints one JSON object. --list and --rollback manage versions.
      """)

  @Option(help: "A fine-tuned model's directory; else the newest under ./checkpoints.")
  var model: String?

  @Option(help: "New behaviours, as for finetune; known ones may be among them.")
  var data: String?

  @Option(
    help:
      "Items, as for finetune: new ones come in, known ones with another text or other features are embedded again."
  )
  var items: String?

  @Option(help: "The new version's name; else v1, v2 and so on.")
  var name: String?

  @Option(help: "Share of the new behaviours, the newest, that is held out to judge.")
  var held = 0.1

  @Option(help: "Passes of the towers over the new behaviours; 0 leaves towers and adapters.")
  var epochs = 2

  @Option(help: "Old behaviours that are trained on too, for each new one.")
  var replay = 1.0

  @Option(help: "Steps of adapter training at most; 0 leaves the adapters.")
  var adapterSteps = 60

  @Option(
    help: "Standard errors by which the held-out NDCG@20 may be lower before it counts as worse.")
  var tolerance = 1.0

  @Option(help: "Versions that are kept beside the original.")
  var keep = 5

  @Flag(help: "Use the result even if it is worse, or can't be judged.")
  var force = false

  @Flag(help: "List the versions: name,in_use,created,new_positives,ndcg20.")
  var list = false

  @Option(help: "Use this version (the first one is called original).")
  var rollback: String?

  @Option(help: "Seed of everything random.")
  var seed: UInt64 = 42

  @OptionGroup var shared: SharedOptions
  @OptionGroup var columns: BehaviorColumns

  func validate() throws {
    let given = [data != nil, list, rollback != nil].filter { $0 }.count
    guard given == 1 else { throw ValidationError("Give one of --data, --list and --rollback.") }
    guard held > 0, held < 1 else { throw ValidationError("--held must lie between 0 and 1.") }
    try FlagLimits.check("--epochs", epochs, 0...FlagLimits.epochs.upperBound)
    try FlagLimits.check("--adapter-steps", adapterSteps, 0...FlagLimits.steps.upperBound)
    guard replay >= 0, replay <= 1000 else {
      throw ValidationError("--replay must be between 0 and 1000.")
    }
    guard tolerance >= 0, tolerance <= 1000 else {
      throw ValidationError("--tolerance must be between 0 and 1000.")
    }
    guard keep >= 1 else { throw ValidationError("--keep must be at least 1.") }
  }

  func run() throws {
    BLAS.useSingleThread()
    let display = ProgressDisplay(quiet: shared.quiet, json: shared.json)
    let choice = try ModelLocator().locateRecommender(model)
    if let notice = choice.notice { display.line(notice) }
    let versions = ModelVersions(choice.url)
    if let rollback {
      try versions.locked { try versions.use(rollback) }
      display.line("in use: \(rollback)")
    } else if let data {
      try update(versions, data, display)
    } else {
      try printList(versions)
    }
  }

  private func update(_ versions: ModelVersions, _ data: String, _ display: ProgressDisplay) throws
  {
    var options = UpdateOptions()
    options.heldShare = held
    options.epochs = epochs
    options.replay = replay
    options.adapterSteps = adapterSteps
    options.tolerance = tolerance
    options.isForced = force
    options.seed = seed
    let report = try versions.update(
      name: name, keeping: keep, options: options, workers: shared.workers,
      note: { display.line($0) },
      input: { recommender in
        let items = try self.items.map {
          try ItemTable.load(from: URL(fileURLWithPath: $0), options: columns.options)
        }
        // Rows of unknown items are counted by the update.
        let (rows, _) = try Behaviors.load(
          path: data, itemIDs: nil, options: columns.options)
        return UpdateInput(behaviors: rows, items: items)
      })
    display.line(
      report.version.map { "in use: \($0)" }
        ?? "the updated model is worse: the present version stays in use")
    try StandardOutput.write(line: report.json())
  }

  private func printList(_ versions: ModelVersions) throws {
    let current = try versions.current()
    var csv = CSVText()
    csv.row(["name", "in_use", "created", "new_positives", "ndcg20"])
    for name in try versions.names() {
      let report = try versions.report(of: name)
      csv.row([
        name, name.utf8.elementsEqual(current.utf8) ? "true" : "false",
        report?.created.flatMap { Int(exactly: $0.rounded()) }.map { String($0) } ?? "",
        report.map { String($0.newPositives) } ?? "",
        report?.updatedNDCG.map { String(format: "%.4f", $0) } ?? "",
      ])
    }
    try csv.flush(nil)
  }
}
