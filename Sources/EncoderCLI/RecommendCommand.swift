import ArgumentParser
import Datasets
import Foundation
import Kernels
import Recommendation

/// `encoder recommend`: ranked lists for users or texts.
struct RecommendCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recommend",
    abstract: "Ranks items for users, or for a text.",
    discussion: """
      Prints user_id,rank,item_id,score. Items on which a user has a positive behaviour are left out. \
      New items given by --new-items are embedded on the spot. With --explain each line is a JSON \
      object in place of a CSV row.
      """)

  @Option(help: "A fine-tuned model's directory; else the newest under ./checkpoints.")
  var model: String?

  @Option(help: "A user's id; may be repeated.")
  var user: [String] = []

  @Flag(help: "All users of training (and of --behaviors).")
  var allUsers = false

  @Option(help: "A text in place of a user: what is like it; may be repeated.")
  var like: [String] = []

  @Option(help: "Behaviours newer than training, of new users too.")
  var behaviors: String?

  @Option(
    help:
      "warm (with behaviours), cold (without), all, or a file of item ids, one a line.")
  var candidates = "all"

  @Option(help: "New items: item_id, text and feature columns.")
  var newItems: String?

  @Option(
    help:
      "Vectors of the new items, where the model was fine-tuned with some: one file for each, in the same order."
  )
  var itemVectors: [String] = []

  @Option(name: .customLong("where"), help: "Only items with COLUMN=VALUE; may be repeated.")
  var filters: [String] = []

  @Option(help: "Length of the lists.")
  var top = 10

  @Flag(help: "Also items that the user has behaviours on.")
  var includeSeen = false

  @Option(
    help:
      "From 0 (the best scores) to 1: items of a list that differ (maximal marginal relevance).")
  var diversity = 0.0

  @Flag(
    help:
      "Why: one JSON object a recommendation, with the parts of the score, items of the history and words."
  )
  var explain = false

  @Option(help: "Where the lists go; else standard output.")
  var output: String?

  @OptionGroup var shared: SharedOptions
  @OptionGroup var columns: BehaviorColumns

  func validate() throws {
    let given = [!user.isEmpty, allUsers, !like.isEmpty].filter { $0 }.count
    guard given == 1 else {
      throw ValidationError("Give one of --user, --all-users and --like.")
    }
    guard itemVectors.isEmpty || newItems != nil else {
      throw ValidationError("--item-vectors goes with --new-items.")
    }
    guard top > 0 else { throw ValidationError("--top must be above 0.") }
    guard diversity >= 0, diversity <= 1 else {
      throw ValidationError("--diversity must lie between 0 and 1.")
    }
    for filter in filters where !filter.contains("=") {
      throw ValidationError("--where needs COLUMN=VALUE, not \(filter).")
    }
  }

  func run() throws {
    BLAS.useSingleThread()
    if let output { try OutputCheck.file(output) }
    let display = ProgressDisplay(quiet: shared.quiet, json: shared.json)
    let choice = try ModelLocator().locateRecommender(model)
    if let notice = choice.notice { display.line(notice) }
    let job = RecommendationJob(
      command: self,
      recommender: try Recommender.load(from: choice.url, workers: shared.workers))
    try job.run()
  }
}
