import Foundation
import Testing

@Suite("Errors of pretrain")
struct PretrainErrorTests {
  private let program: EncoderProgram

  init() throws { program = try EncoderProgram() }

  /// Runs `encoder pretrain`, expects exit code 1, one line `error: ...` with all `parts`, and no file
  /// but those that were there.
  private func expectError(
    _ arguments: [String], _ parts: [String], input: Data = Data(),
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let before = try program.names()
    let outcome = try program.start(
      ["pretrain", "--preset", "tiny", "--steps", "2", "--threads", "1", "--quiet"] + arguments,
      input: input
    ).wait()
    #expect(outcome.status == 1, "\(outcome.errors)", sourceLocation: sourceLocation)
    #expect(outcome.output.isEmpty, sourceLocation: sourceLocation)
    #expect(
      outcome.errorLines.count == 1 && outcome.errors.hasPrefix("error: "), "\(outcome.errors)",
      sourceLocation: sourceLocation)
    for part in parts {
      #expect(
        outcome.errors.contains(part), "\(outcome.errors) lacks \(part)",
        sourceLocation: sourceLocation)
    }
    #expect(try program.names() == before, sourceLocation: sourceLocation)
  }

  @Test("a corpus that isn't there, also as the second of two, or a folder")
  func missing() throws {
    try program.write(SampleTexts.corpus(), "there.txt")
    try FileManager.default.createDirectory(
      at: program.url("folder"), withIntermediateDirectories: true)
    try expectError(["nowhere.txt"], ["nowhere.txt", "No such file"])
    try expectError(["there.txt", "nowhere.txt", "--output", "m"], ["nowhere.txt"])
    try expectError(["folder", "--output", "m"], ["folder", "directory"])
  }

  @Test("a corpus without a text", arguments: ["", "\n \n\t\n\r\n", "\u{FEFF}", "\u{3000}\n"])
  func blank(text: String) throws {
    try program.write(text, "c.txt")
    try expectError(["c.txt", "--output", "m"], ["c.txt"])
    try expectError(["-", "--output", "m"], ["; "], input: Data(text.utf8))
  }

  @Test("text that isn't UTF-8 is named by its line")
  func invalidUTF8() throws {
    var bytes = Data(SampleTexts.corpus(10).utf8)
    bytes.append(contentsOf: [0x63, 0x61, 0x66, 0xE9, 0x0A])
    try program.write(bytes, "c.txt")
    try expectError(["c.txt", "--output", "m"], ["c.txt:11", "UTF-8"])
  }

  @Test("a CSV without that text column, and one with a row too long")
  func columns() throws {
    try program.write(SampleTexts.csv(), "c.csv")
    try expectError(["c.csv", "--output", "m"], ["c.csv", "--text-column"])
    try expectError(
      ["c.csv", "--output", "m", "--text-column", "body"], ["body", "c.csv", "caption"])
    try program.write(SampleTexts.csv(20) + "i20,a,b,c,d\n", "long.csv")
    try expectError(["long.csv", "--output", "m", "--text-column", "caption"], ["long.csv:22"])
  }

  @Test("a damaged .gz")
  func damagedGzip() throws {
    let whole = SampleTexts.gzip(SampleTexts.corpus())
    try program.write(whole.prefix(whole.count / 2), "c.txt.gz")
    try expectError(["c.txt.gz", "--output", "m"], ["c.txt.gz", "gzip"])
  }

  @Test("an output that is a file, below a file, or where nothing can be written")
  func output() throws {
    try program.write("", "file")
    // It is told before any work: here the corpus isn't there either.
    for output in ["file", "file/model", "/proc/model"] {
      try expectError(
        ["nowhere.txt", "--output", output], ["output", String(output.prefix(4)), "--output"])
    }
  }

  @Test("a vocabulary with a repeated piece, without a special token, or missing")
  func vocabulary() throws {
    try program.write(SampleTexts.corpus(), "c.txt")
    try program.write("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nlamp\na\n", "twice.txt")
    try program.write("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nlamp\n", "maskless.txt")
    let output = ["c.txt", "--output", "m", "--vocab"]
    try expectError(output + ["twice.txt"], ["twice.txt:8"])
    try expectError(output + ["maskless.txt"], ["maskless.txt", "[MASK]"])
    try expectError(output + ["nowhere.txt"], ["nowhere.txt"])
  }

  @Test("resuming where there is nothing to resume")
  func resume() throws {
    try program.write(SampleTexts.corpus(), "c.txt")
    try expectError(["c.txt", "--output", "m", "--resume"], ["m", "--resume"])
    try program.write("no state", "m/training_state.safetensors")
    try expectError(["c.txt", "--output", "m", "--resume"], ["training_state.safetensors"])
  }

  @Test("--from a folder that isn't a model")
  func from() throws {
    try program.write(SampleTexts.corpus(), "c.txt")
    try program.write("{}", "empty/config.json")
    try expectError(["c.txt", "--output", "m", "--from", "nowhere"], ["nowhere"])
    try expectError(["c.txt", "--output", "m", "--from", "empty"], ["empty"])
  }

  @Test("a learning rate that makes the loss explode")
  func divergence() throws {
    try program.write(SampleTexts.corpus(), "c.txt")
    try expectError(
      [
        "c.txt", "--output", "m", "--learning-rate", "1e30", "--batch-tokens", "256",
        "--vocab-size", "200",
      ], ["isn't finite", "--learning-rate"])
  }
}
