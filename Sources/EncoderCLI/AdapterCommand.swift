import ArgumentParser
import Checkpoints
import EncoderModel
import Foundation
import Kernels

/// `encoder adapter`: says what an adapter's directory holds, and writes it in another layout.
struct AdapterCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "adapter",
    abstract: "Describes an adapter, and converts it between AdapterHub and PEFT.",
    discussion: """
      Reads a directory of AdapterHub's adapters library or of PEFT and prints what is in it; with --model it is \
      checked against its base. \
      With --output it is written again, with the base's checksum. encoder embed --adapter runs it.
      """)

  @Argument(help: "The adapter's directory.")
  var directory: String

  @Option(
    help: "The model that it was trained over; to write, else the newest checkpoint or the starter."
  )
  var model: String?

  @Option(help: "Where to write it again.")
  var output: String?

  @Option(help: "The layout to write: adapterhub or peft; by default the one it has.")
  var format: AdapterFormat?

  @Option(help: "The name inside an AdapterHub directory; by default the one it has.")
  var name: String?

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    guard output != nil || (format == nil && name == nil) else {
      throw ValidationError("--format and --name say how --output is written; give --output.")
    }
    guard name.map({ !$0.isEmpty && !$0.contains(".") && !$0.contains("/") }) ?? true else {
      throw ValidationError("--name becomes a part of tensor names: no dots and no slashes.")
    }
  }

  func run() throws {
    BLAS.useSingleThread()
    if model == nil, output == nil { return try describe() }
    if let output { try OutputCheck.directory(URL(fileURLWithPath: output)) }
    let choice = try ModelLocator().locate(model)
    if let notice = choice.notice { StandardError.write(notice) }
    let base = try PretrainedModel.load(from: choice.url)
    let adapter = try AdapterDirectory.read(URL(fileURLWithPath: directory), model: base)
    try StandardOutput.write(line: json ? summaryJSON(adapter, base) : summary(adapter, base))
    guard let output else { return }
    try AdapterDirectory.write(
      adapter.stack, name: name ?? adapter.name, format: format ?? adapter.format, model: base,
      baseName: model, to: URL(fileURLWithPath: output))
    StandardError.write("wrote \(output)")
  }

  /// Says what the directory itself says, without a base.
  private func describe() throws {
    let adapter = try AdapterDescription(URL(fileURLWithPath: directory))
    if json {
      struct Summary: Encodable {
        let name, format, parts: String
        let parameters: Int
        let base: String?
      }
      return try StandardOutput.write(
        line: encoded(
          Summary(
            name: adapter.name, format: adapter.format.rawValue, parts: adapter.parts,
            parameters: adapter.parameterCount, base: adapter.base)))
    }
    try StandardOutput.write(
      line: """
        name: \(adapter.name)
        format: \(adapter.format.rawValue)
        parts: \(adapter.parts)
        parameters: \(adapter.parameterCount)
        base: \(adapter.base ?? "not named"); not checked, --model DIR does
        """)
  }

  private func encoded(_ summary: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return (try? encoder.encode(summary)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }

  /// What the adapter is made of, in words.
  private func parts(_ stack: AdapterStack<Float>) -> String {
    if stack.replacesAll { return "all weights" }
    var counts: [(String, Int)] = []
    func count(_ what: String) {
      if let index = counts.firstIndex(where: { $0.0 == what }) {
        counts[index].1 += 1
      } else {
        counts.append((what, 1))
      }
    }
    for adapter in (stack.attentionAdapters + stack.adapters).compactMap({ $0 }) {
      let site = adapter.site == .attention ? "attention" : "feed-forward"
      count("\(site) bottlenecks of width \(adapter.bottleneckWidth)")
    }
    for change in stack.changes {
      switch change.rule {
      case .lowRank(_, _, let rank, _): count("changes of rank \(rank)")
      case .scaledInputs, .scaledOutputs: count("vectors of factors")
      case .replacement: count("replaced tensors")
      }
    }
    return counts.map { "\($0.1) \($0.0)" }.joined(separator: ", ")
  }

  private func summary(_ adapter: AdapterDirectory, _ base: PretrainedModel) -> String {
    let (count, all) = (adapter.stack.weights.count, base.weights.count)
    return """
      name: \(adapter.name)
      format: \(adapter.format.rawValue)
      parts: \(parts(adapter.stack))
      parameters: \(count) (\(String(format: "%.2f%%", 100 * Double(count) / Double(all))) of the base's)
      base: \(adapter.baseChecksum.map { "\($0), as the model" } ?? "not named; shapes fit the model")
      """
  }

  private func summaryJSON(_ adapter: AdapterDirectory, _ base: PretrainedModel) -> String {
    struct Summary: Encodable {
      let name, format, parts: String
      let parameters: Int
      let baseChecksum: String?
      let mergeable: Bool
    }
    let summary = Summary(
      name: adapter.name, format: adapter.format.rawValue, parts: parts(adapter.stack),
      parameters: adapter.stack.weights.count, baseChecksum: adapter.baseChecksum,
      mergeable: !adapter.stack.hasBottlenecks)
    return encoded(summary)
  }
}

extension AdapterFormat: ExpressibleByArgument {}
