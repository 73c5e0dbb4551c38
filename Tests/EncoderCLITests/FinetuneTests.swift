import Foundation
import Testing

@Suite("finetune", .serialized)
struct FinetuneTests {
  private let program: EncoderProgram

  init() throws { program = try EncoderProgram() }

  /// An encoder of two steps, and a shop whose users like things of two kinds.
  private func prepare() throws {
    try program.write(SampleTexts.corpus(), "corpus.txt")
    let made = try program.run(
      "pretrain", "corpus.txt", "--output", "encoder", "--steps", "2", "--preset", "tiny",
      "--threads", "1", "--batch-tokens", "256", "--max-length", "32", "--vocab-size", "200",
      "--quiet")
    try #require(made.status == 0, "\(made.errors)")
    let texts = SampleTexts.lines(120)
    let items = texts.enumerated().map { "i\($0.offset),\"\($0.element)\"\n" }
    try program.write("item_id,text\n" + items.joined(), "items.csv")
    var rows = "user_id,item_id\n"
    for user in 0..<150 {
      for item in texts.indices
      where [user % 7, user / 7 % 7].contains(item % 7) && (user + item) % 3 != 0 {
        rows += "u\(user),i\(item)\n"
      }
    }
    try program.write(rows, "behaviors.csv")
  }

  private func arguments(_ folder: String) -> [String] {
    [
      "finetune", "behaviors.csv", "--items", "items.csv", "--from", "encoder", "--output",
      "\(folder)/shop", "--epochs", "30", "--threads", "1",
    ]
  }

  /// The files below a folder, by their paths in it.
  private func files(_ folder: String) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for name in try program.names() where name.hasPrefix(folder + "/") {
      var isFolder: ObjCBool = false
      guard
        FileManager.default.fileExists(
          atPath: program.url(name).path, isDirectory: &isFolder), !isFolder.boolValue
      else { continue }
      files[String(name.dropFirst(folder.count + 1))] = try program.read(name)
    }
    return files
  }

  @Test(
    "SIGTERM and SIGINT save and end with 143 and 130; the run resumes to the same bytes",
    arguments: [(SIGTERM, Int32(143)), (SIGINT, Int32(130))])
  func signals(signal: Int32, status: Int32) throws {
    try prepare()
    let whole = try program.start(arguments("whole") + ["--quiet"]).wait()
    #expect(whole.status == 0 && whole.errors.isEmpty, "\(whole.errors)")
    let running = try program.start(arguments("cut"))
    try running.waitFor("towers 2:")
    running.send(signal)
    let outcome = try running.wait()
    #expect(outcome.status == status && outcome.output.isEmpty, "\(outcome.errors)")
    #expect(outcome.errorLines.last?.contains("--resume") ?? false, "\(outcome.errors)")
    #expect(try files("cut").keys.sorted() == ["shop/finetune_state.safetensors"])
    let resumed = try program.start(arguments("cut") + ["--resume", "--quiet"]).wait()
    #expect(resumed.status == 0 && resumed.errors.isEmpty, "\(resumed.errors)")
    let (expected, found) = (try files("whole"), try files("cut"))
    #expect(found.keys.sorted() == expected.keys.sorted())
    // The clock's part is in these.
    let timed = ["training.jsonl", "events.out.tfevents.encoder", "report.html"]
    for (name, bytes) in expected where !timed.map({ "shop/" + $0 }).contains(name) {
      let isSame = found[name] == bytes
      #expect(isSame, "\(name)")
    }
  }

  @Test("after an early signal the last line says whether there is something to resume")
  func earlySignal() throws {
    try prepare()
    let running = try program.start(arguments("cut"))
    try running.waitFor("positive:")
    running.send(SIGTERM)
    let outcome = try running.wait()
    #expect(outcome.status == 143 && outcome.output.isEmpty, "\(outcome.errors)")
    let isSaved = outcome.errorLines.last?.contains("--resume") ?? false
    #expect(try files("cut").keys.sorted() == (isSaved ? ["shop/finetune_state.safetensors"] : []))
  }
}
