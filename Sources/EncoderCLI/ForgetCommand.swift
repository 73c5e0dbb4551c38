import ArgumentParser
import Foundation
import Kernels
import Recommendation

/// `encoder forget`: a user out of a fine-tuned model.
struct ForgetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "forget",
    abstract: "Removes a user from a fine-tuned model.",
    discussion: """
      The user's id, behaviours and features leave every version of the model, and report.html goes: its \
      samples list single users' behaviours; encoder evaluate writes a new one. Weights that learnt from the \
      behaviours, together with everybody else's, stay: the output names them. --refit computes the \
      collaborative ones again without the user. Prints one JSON object a user.
      """)

  @Option(help: "A fine-tuned model's directory; else the newest under ./checkpoints.")
  var model: String?

  @Option(help: "A user's id; may be repeated.")
  var user: [String]

  @Flag(help: "Compute the collaborative models again without the user.")
  var refit = false

  @OptionGroup var shared: SharedOptions

  func run() throws {
    BLAS.useSingleThread()
    let display = ProgressDisplay(quiet: shared.quiet, json: shared.json)
    let choice = try ModelLocator().locateRecommender(model)
    if let notice = choice.notice { display.line(notice) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    for id in user {
      let report = try ModelVersions(choice.url).forget(
        user: id, refitting: refit, workers: shared.workers)
      try StandardOutput.write(Array(try encoder.encode(report)) + [UInt8(ascii: "\n")])
      display.line(
        "forgotten: \(id) in \(report.versions.joined(separator: ", ")); what was learnt together with "
          + "others' behaviours stays in \(report.remaining.joined(separator: ", "))")
      if !report.removedReports.isEmpty {
        display.line(
          "removed: \(RecommenderReport.fileName) of \(report.removedReports.joined(separator: ", ")), "
            + "which listed behaviours of some users; encoder evaluate writes a new one")
      }
    }
  }
}
