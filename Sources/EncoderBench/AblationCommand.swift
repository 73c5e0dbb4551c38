import ArgumentParser
import Checkpoints
import Datasets
import Foundation
import Kernels
import Recommendation

/// What each part of the fine-tuning recipe is worth, on items that play cold.
struct AblationCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ablation",
    abstract: "Fine-tunes without one part of the recipe after the other, up to the fusion.",
    discussion: """
      Prints NDCG@20 as Markdown: of the towers and of kernel regression alone and of the fusion, on warm items \
      that play cold; of the fusion on the split's cold items for tuning (kept), on known items and on both. The \
      split's test is never looked at. No clock limits training. Means over the seeds stand at the end, with the \
      differences from the default recipe.

      Variants: \(AblationVariant.all.map(\.name).joined(separator: ", ")).
      """)

  @Option(help: "Folder of a split, whose train.csv and val_cold.csv are read.")
  var split: String?

  @Option(help: "Behaviours to fine-tune on, in place of the split's train.csv.")
  var train: String?

  @Option(help: "Items: item_id, text (or title, description) and feature columns.")
  var items: String

  @Option(
    parsing: .unconditional,
    help: "A label of at least this is positive (default: from the labels).")
  var positiveLabel: Double?

  @Option(help: "Encoder to start from.")
  var from = "checkpoints/starter"

  @Option(help: "Variants, separated by commas.")
  var variants = "all"

  @Option(help: "Seeds, separated by commas.")
  var seeds = "1,2"

  @Option(help: "File for the results, one a line as JSON; those in it aren't computed again.")
  var output: String?

  @Option(help: "Threads; by default one a core.")
  var threads: Int?

  func validate() throws {
    guard split != nil || train != nil else { throw ValidationError("Give --split or --train.") }
    _ = try (chosenVariants(), chosenSeeds())
  }

  func run() throws {
    let variants = try chosenVariants()
    var log = try AblationLog(output)
    let input = try readInput()
    let kept = try split.map {
      try EvaluationSplit(
        ColdSplit.read(from: URL(fileURLWithPath: $0)), catalogue: input.items.ids,
        part: .validation, place: $0)
    }
    let model = try PretrainedModel.load(from: URL(fileURLWithPath: from))
    var rows: [AblationRow] = []
    write(AblationTable.header)
    for seed in try chosenSeeds() {
      let study = AblationStudy(
        model: model, input: input, kept: kept, seed: seed, threads: Workers(count: threads).count)
      for variant in variants {
        let known = log.row(variant.name, seed: seed, source)
        let row = try known ?? measure(variant, seed, study)
        if known == nil { try log.append(row) }
        rows.append(row)
        write(AblationTable.line(row))
      }
    }
    write("\n" + AblationTable.summary(rows, of: variants))
  }

  private var trainPath: String { train ?? "\(split ?? ".")/train.csv" }

  private var source: AblationSource {
    AblationSource(
      train: trainPath, split: split, items: items, positiveLabel: positiveLabel, encoder: from)
  }

  private func measure(
    _ variant: AblationVariant, _ seed: UInt64, _ study: AblationStudy
  ) throws -> AblationRow {
    FileHandle.standardError.write(Data("\(variant.name), seed \(seed)\n".utf8))
    let (figures, seconds) = try study.run(variant)
    return AblationRow(
      variant: variant.name, seed: seed, source: source, seconds: seconds, figures: figures)
  }

  /// The behaviours, cleaned as `encoder finetune` cleans them.
  private func readInput() throws -> FinetuneInput {
    let table = try ItemTable.load(from: URL(fileURLWithPath: items))
    var (rows, report) = try Behaviors.load(path: trainPath, itemIDs: table.ids)
    let rule =
      positiveLabel.map { PositiveRule(threshold: $0) } ?? PositiveRule(labels: rows.labels)
    rows = Cleaning().apply(to: rows, positive: rule, report: &report)
    return FinetuneInput(items: table, behaviors: rows, users: nil, rule: rule, report: report)
  }

  private func chosenVariants() throws -> [AblationVariant] {
    guard variants != "all" else { return AblationVariant.all }
    return try variants.split(separator: ",").map { name in
      guard let variant = AblationVariant.all.first(where: { $0.name == name }) else {
        throw ValidationError("--variants: there is no variant \(name)")
      }
      return variant
    }
  }

  private func chosenSeeds() throws -> [UInt64] {
    try seeds.split(separator: ",").map { text in
      guard let seed = UInt64(text) else {
        throw ValidationError("--seeds is \(seeds); give numbers separated by commas")
      }
      return seed
    }
  }

  /// Writes at once: results come minutes apart.
  private func write(_ text: String) {
    FileHandle.standardOutput.write(Data((text + "\n").utf8))
  }
}
