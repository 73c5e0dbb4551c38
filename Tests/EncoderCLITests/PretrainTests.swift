import Foundation
import Testing

@Suite("pretrain and embed", .serialized)
struct PretrainTests {
  private let program: EncoderProgram
  private let small = [
    "--preset", "tiny", "--threads", "1", "--batch-tokens", "256", "--max-length", "32",
    "--vocab-size", "200",
  ]

  init() throws { program = try EncoderProgram() }

  private func pretrain(_ arguments: [String], input: Data = Data()) throws
    -> EncoderProgram.Outcome
  {
    try program.start(["pretrain"] + arguments + small, input: input).wait()
  }

  private static let modelFiles = [
    "1_Pooling/config.json", "README.md", "bag_of_words.safetensors", "config.json",
    "config_sentence_transformers.json", "encoder.json", "events.out.tfevents.encoder",
    "model.safetensors", "modules.json", "report.html", "sentence_bert_config.json",
    "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "training.jsonl",
    "training_state.safetensors", "vocab.txt",
  ]

  @Test("without --output: checkpoints/NAME and vocab/NAME.txt; then embed finds the model")
  func smoke() throws {
    try program.write(SampleTexts.corpus(), "data/things.v2.txt")
    let outcome = try pretrain(["data/things.v2.txt", "--steps", "4"])
    #expect(outcome.status == 0 && outcome.output.isEmpty)
    #expect(outcome.errors.contains("200 texts"))
    let folders = ["checkpoints", "checkpoints/things", "checkpoints/things/1_Pooling", "data"]
    let files = PretrainTests.modelFiles.map { "checkpoints/things/\($0)" }
    #expect(
      try program.names()
        == (folders + files + ["data/things.v2.txt", "vocab", "vocab/things.txt"]).sorted())
    #expect(try program.read("vocab/things.txt") == program.read("checkpoints/things/vocab.txt"))

    let embedded = try program.run("embed", "data/things.v2.txt", "--threads", "1")
    #expect(embedded.status == 0 && embedded.errors.contains("checkpoints/things"))
    let rows = embedded.output.split(separator: "\n")
    #expect(rows.count == 200)
    struct Row: Decodable {
      let id: String
      let embedding: [Double]
    }
    for (index, row) in rows.enumerated() {
      let row = try JSONDecoder().decode(Row.self, from: Data(row.utf8))
      #expect(row.id == String(index) && row.embedding.count == 128)
      let square = row.embedding.reduce(0) { $0 + $1 * $1 }
      #expect(abs(square - 1) < 1e-4)
    }
  }

  @Test("a corpus of lines gives one model as a file, through a pipe, compressed and as CSV")
  func inputs() throws {
    try program.write(SampleTexts.corpus(), "c.txt")
    try program.write(SampleTexts.gzip(SampleTexts.corpus()), "c.txt.gz")
    try program.write(SampleTexts.csv(), "c.csv")
    let corpus = Data(SampleTexts.corpus().utf8)
    let runs: [(String, [String], Data)] = [
      ("plain", ["c.txt"], Data()), ("pipe", ["-"], corpus), ("gzip", ["c.txt.gz"], Data()),
      ("csv", ["c.csv", "--text-column", "caption"], Data()),
    ]
    for (name, arguments, input) in runs {
      let outcome = try pretrain(
        arguments + ["--steps", "2", "--output", name, "--quiet"], input: input)
      #expect(outcome.status == 0 && outcome.errors.isEmpty && outcome.output.isEmpty)
      for file in ["model.safetensors", "vocab.txt", "training_state.safetensors"] {
        #expect(
          try program.read("\(name)/\(file)") == program.read("plain/\(file)"), "\(name)/\(file)")
      }
    }
    // With --output nothing is written elsewhere.
    #expect(try program.names().allSatisfy { !$0.hasPrefix("vocab") && !$0.hasPrefix("checkp") })
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: program.temporary.path).isEmpty)
  }

  @Test("a named pipe, which can be read only once, is a corpus too")
  func namedPipe() throws {
    try program.write(SampleTexts.corpus(), "c.txt")
    let bytes = Array(SampleTexts.corpus().utf8)
    try program.pipe("fifo") { _ = write($0, bytes, bytes.count) }
    for (corpus, output) in [("c.txt", "plain"), ("fifo", "piped")] {
      let outcome = try pretrain([corpus, "--steps", "2", "--output", output, "--quiet"])
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    #expect(try program.read("plain/model.safetensors") == program.read("piped/model.safetensors"))
  }

  @Test("a signal while the corpus is being read ends the program; nothing is left")
  func signalWhileReading() throws {
    // More text than is read before the signal comes; then the run has to end without training.
    let block = Array(SampleTexts.corpus().utf8)
    try program.pipe("long") { descriptor in
      for _ in 0..<5000 where write(descriptor, block, block.count) < 0 { return }
    }
    let running = try program.start(["pretrain", "long", "--steps", "1", "--output", "m"] + small)
    let spool = program.temporary.path
    while running.isRunning,
      try FileManager.default.contentsOfDirectory(atPath: spool).isEmpty
    { usleep(1000) }
    running.send(SIGTERM)
    let outcome = try running.wait()
    #expect(outcome.status == 143 && outcome.output.isEmpty, "\(outcome.errors)")
    #expect(try program.names() == ["long"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: spool).isEmpty)
  }

  @Test("--json writes objects with the contract's names, and the log has them too")
  func json() throws {
    try program.write(SampleTexts.corpus(), "c.txt")
    let outcome = try pretrain(["c.txt", "--steps", "4", "--output", "m", "--json"])
    #expect(outcome.status == 0 && outcome.output.isEmpty && !outcome.errorLines.isEmpty)
    let log = try program.text("m/training.jsonl").split(separator: "\n")
    #expect(log.count == 4)
    var steps: [Double] = []
    for line in outcome.errorLines + log {
      let record = try JSONDecoder().decode([String: Double].self, from: Data(line.utf8))
      for name in [
        "step", "epoch", "loss", "learning_rate", "tokens", "tokens_per_second", "seconds",
      ] {
        #expect(record[name] != nil, "\(line) lacks \(name)")
      }
      steps.append(record["step", default: 0])
    }
    #expect(steps.suffix(4) == [1, 2, 3, 4])
    let last = try JSONDecoder().decode([String: Double].self, from: Data((log.last ?? "").utf8))
    #expect(last["validation_loss"] != nil)
  }

  @Test("--from continues a model with its own tokenizer and within its positions")
  func continues() throws {
    try program.write(SampleTexts.corpus(), "c.txt")
    #expect(try pretrain(["c.txt", "--steps", "2", "--output", "a", "--quiet"]).status == 0)
    let outcome = try pretrain(["c.txt", "--steps", "2", "--from", "a", "--output", "b", "--quiet"])
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    #expect(try program.read("b/vocab.txt") == program.read("a/vocab.txt"))
    #expect(try program.read("b/model.safetensors") != program.read("a/model.safetensors"))
    let long = try program.run(
      "pretrain", "c.txt", "--from", "a", "--output", "c", "--max-length", "513", "--quiet")
    #expect(long.status == 1 && long.errors.contains("512 positions: --max-length"))
    #expect(!(try program.names()).contains("c"))
  }

  @Test(
    "SIGTERM and SIGINT save and end with 143 and 130; the run resumes to the same bytes",
    arguments: [(SIGTERM, Int32(143)), (SIGINT, Int32(130))])
  func signals(signal: Int32, status: Int32) throws {
    try program.write(SampleTexts.corpus(), "c.txt")
    let length = ["c.txt", "--steps", "120"]
    #expect(try pretrain(length + ["--output", "whole", "--quiet"]).status == 0)
    let running = try program.start(["pretrain"] + length + ["--output", "cut"] + small)
    try running.waitFor("step 1 ")
    running.send(signal)
    let outcome = try running.wait()
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.errors.contains("--resume"))
    #expect(try program.names().filter { $0.hasSuffix(".tmp") }.isEmpty)
    // Neither the length nor the options need to be told again.
    let resumed = try program.run("pretrain", "c.txt", "--output", "cut", "--resume", "--quiet")
    #expect(resumed.status == 0 && resumed.errors.isEmpty, "\(resumed.errors)")
    // The clock's part is in these.
    let timed = ["training.jsonl", "events.out.tfevents.encoder", "report.html"]
    for file in PretrainTests.modelFiles where !timed.contains(file) {
      #expect(try program.read("cut/\(file)") == program.read("whole/\(file)"), "\(file)")
    }
  }

  @Test(
    "what a killed run had staged is removed, whatever it had come to; other folders are not",
    arguments: [
      ([], true), (["encoder.json.tmp"], true), (["encoder.json", "config.json.tmp"], true),
      (["notes.txt"], false), (["encoder.json.tmp", "notes.txt"], false),
    ])
  func leftovers(names: [String], isOurs: Bool) throws {
    try program.write(SampleTexts.corpus(), "c.txt")
    try FileManager.default.createDirectory(
      at: program.url("m.tmp"), withIntermediateDirectories: true)
    for name in names { try program.write("x", "m.tmp/\(name)") }
    let outcome = try pretrain(["c.txt", "--steps", "1", "--output", "m", "--quiet"])
    #expect(outcome.status == (isOurs ? 0 : 1), "\(outcome.errors)")
    let left = try program.names().filter { $0.hasPrefix("m.tmp/") }
    #expect(left == (isOurs ? [] : names.map { "m.tmp/\($0)" }.sorted()))
    #expect(try program.names().contains("m.tmp") == !isOurs)
    #expect(isOurs || outcome.errors.contains("m.tmp"))
  }

  @Test("another corpus is refused, and the checkpoint stays as it was")
  func otherCorpus() throws {
    try program.write(SampleTexts.corpus(), "c.txt")
    try program.write(SampleTexts.corpus(199), "d.txt")
    #expect(try pretrain(["c.txt", "--steps", "2", "--output", "m", "--quiet"]).status == 0)
    let before = try program.read("m/training_state.safetensors")
    let outcome = try pretrain(["d.txt", "--steps", "4", "--output", "m", "--resume", "--quiet"])
    #expect(outcome.status == 1 && outcome.errors.contains("--resume"))
    #expect(outcome.errorLines.count == 1)
    #expect(try program.read("m/training_state.safetensors") == before)
  }
}
