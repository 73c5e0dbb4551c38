import Foundation
import TestSupport
import Testing

/// `encoder adapter` and `encoder embed --adapter` on adapters that AdapterHub and PEFT have saved.
@Suite("Adapters on the command line")
struct AdapterTests {
  private let program: EncoderProgram
  private let goldens: String

  init() throws {
    program = try EncoderProgram()
    goldens =
      URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Goldens").path
  }

  private var base: String { goldens + "/checkpoints/mlm" }
  private func adapter(_ name: String) -> String { goldens + "/adapters/\(name)" }

  private func vector(_ options: String...) throws -> [Double] {
    struct Row: Decodable { let embedding: [Double] }
    let outcome = try program.start(
      ["embed", "--model", base, "--text", "the red teacup", "--quiet"] + options
    ).wait()
    try #require(outcome.status == 0, "\(outcome.errors)")
    return try JSONDecoder().decode(Row.self, from: Data(outcome.output.utf8)).embedding
  }

  @Test("one of several adapters is chosen by its name, and the base stays reachable")
  func choice() throws {
    let (hub, peft) = (adapter("hub_double_seq_bn"), adapter("peft_lora"))
    let vectors = [
      try vector(), try vector("--adapter", hub), try vector("--adapter", "tea=" + peft),
    ]
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
      #expect(zip(vectors[a], vectors[b]).contains { abs($0 - $1) > 1e-2 })
    }
    for (name, expected) in [("books", vectors[1]), ("tea", vectors[2])] {
      #expect(
        try vector("--adapter", hub, "--adapter", "tea=" + peft, "--adapter-name", name)
          == expected)
    }
  }

  @Test("an adapter is described, converted, and refused on another base")
  func convert() throws {
    let shown = try program.run("adapter", adapter("hub_lora"), "--model", base)
    #expect(shown.status == 0, "\(shown.errors)")
    #expect(
      shown.output.contains("name: books\nformat: adapterhub\nparts: 4 changes of rank 2\n"),
      "\(shown.output)")
    #expect(shown.output.contains("parameters: 320 (") && shown.output.contains("not named"))
    let alone = try program.run("adapter", adapter("hub_lora"))
    #expect(alone.status == 0, "\(alone.errors)")
    #expect(
      alone.output.contains("name: books\nformat: adapterhub\nparts: lora, rank 2, ")
        && alone.output.contains("\nparameters: 320\n"), "\(alone.output)")
    let written = try program.run(
      "adapter", adapter("hub_lora"), "--model", base, "--output", "moved", "--format", "peft",
      "--json")
    #expect(written.status == 0, "\(written.errors)")
    let difference = zip(
      try vector("--adapter", adapter("hub_lora")),
      try vector("--adapter", program.folder.appendingPathComponent("moved").path)
    ).map { abs($0 - $1) }.max()
    #expect(difference ?? 1 < 1e-6)
    let refused = try program.run(
      "embed", "--model", goldens + "/checkpoints/st6", "--adapter", "moved", "--text", "tea")
    #expect(refused.status == 1 && refused.output.isEmpty)
    #expect(
      refused.errorLines.last?.hasPrefix("error: the adapter belongs to another base") ?? false)
    let impossible = try program.run(
      "adapter", adapter("hub_seq_bn"), "--model", base, "--output", "never", "--format", "peft")
    #expect(impossible.status == 1)
    #expect(!FileManager.default.fileExists(atPath: program.folder.path + "/never"))
  }

  @Test(
    "wrong usage is 64",
    arguments: [
      ["embed", "--text", "a", "--adapter-name", "tea"],
      ["embed", "--text", "a", "--adapter", "one", "--adapter", "two"],
      ["adapter", "one", "--format", "peft"], ["adapter", "one", "--output", "x", "--name", "a.b"],
      ["finetune", "x.csv", "--adapter", "prefix"], ["finetune", "x.csv", "--rank", "0"],
    ])
  func usage(_ arguments: [String]) throws {
    #expect(try program.start(arguments).wait().status == 64)
  }

  @Test("a name that no adapter has is an error that lists them")
  func unknownName() throws {
    let outcome = try program.run(
      "embed", "--model", base, "--text", "a", "--adapter", adapter("peft_ia3"), "--adapter-name",
      "tea")
    #expect(outcome.status == 1)
    #expect(
      outcome.errorLines.last
        == "error: there is no adapter of that name: tea; there are peft_ia3")
  }
}
