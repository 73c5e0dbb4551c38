import Foundation
import Testing

@Suite("Usage")
struct UsageTests {
  private let program: EncoderProgram

  init() throws { program = try EncoderProgram() }

  @Test("help names every command, on standard output")
  func help() throws {
    let outcome = try program.run("--help")
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    #expect(outcome.output.contains("USAGE: encoder <subcommand>"))
    for command in ["vocab", "tokenize", "pretrain", "embed", "split"] {
      #expect(outcome.output.contains("\n  \(command) "), "help lacks \(command)")
      let own = try program.run("help", command)
      #expect(own.status == 0 && own.output.contains("USAGE: encoder \(command) "))
    }
    let none = try program.run()
    #expect(none.output == outcome.output)
  }

  @Test("help of pretrain has the flags of the contract")
  func pretrainHelp() throws {
    let help = try program.run("pretrain", "--help").output
    for flag in [
      "--output", "--preset", "--vocab", "--vocab-size", "--cased", "--from", "--minutes",
      "--epochs", "--steps", "--objective", "--dropout", "--batch-tokens", "--max-length",
      "--save-every", "--resume", "--text-column", "--seed", "--threads", "--quiet", "--json",
    ] {
      #expect(help.contains("\(flag) ") || help.contains("\(flag)\n"), "help lacks \(flag)")
    }
  }

  @Test(
    "wrong usage ends with 64, says what is wrong, and leaves nothing",
    arguments: [
      (["pretrain"], "Missing expected argument"),
      (["pretrain", "c.txt", "--preset", "huge"], "huge"),
      (["pretrain", "c.txt", "--steps", "0"], "above 0"),
      (["pretrain", "c.txt", "--steps", "5", "--epochs", "1"], "one of"),
      (["pretrain", "c.txt", "--minutes", "nan"], "above 0"),
      (["pretrain", "c.txt", "--mask-rate", "1"], "--mask-rate"),
      (["pretrain", "c.txt", "--dropout", "1"], "--dropout"),
      (["pretrain", "c.txt", "--learning-rate", "nan"], "--learning-rate"),
      (["pretrain", "c.txt", "--bow-weight=-1"], "--bow-weight"),
      (["pretrain", "c.txt", "--max-length", "4"], "--max-length"),
      (["pretrain", "c.txt", "--max-length", "128", "--batch-tokens", "64"], "--batch-tokens"),
      (["pretrain", "c.txt", "--vocab-size", "50"], "--vocab-size"),
      (["pretrain", "c.txt", "--objective", "bow"], "--objective"),
      (["pretrain", "c.txt", "--objective", "mlm,nsp"], "--objective"),
      (["pretrain", "c.txt", "--from", "m", "--vocab", "v.txt"], "--from"),
      (["pretrain", "c.txt", "--from", "m", "--cased"], "--cased"),
      (["pretrain", "-", "-"], "once"),
      (["pretrain", "c.txt", "--threads", "0"], "--threads"),
      (["pretrain", "c.txt", "--save-every", "0"], "--save-every"),
      (["pretrain", "c.txt", "--seed", "x"], "x"),
      (["pretrain", "c.txt", "--no-such-flag"], "--no-such-flag"),
      (["embed"], "--text"),
      (["embed", "f.txt", "--text", "a"], "--text"),
      (["embed", "--text", "a", "--max-length", "2"], "--max-length"),
      (["tokenize", "f.txt"], "--vocab"),
      (["vocab", "f.txt", "--output", "v.txt"], "--size"),
      (["update"], "one of --data"),
      (["update", "--data", "d.csv", "--list"], "one of --data"),
      (["update", "--data", "d.csv", "--held", "1"], "--held"),
      (["update", "--data", "d.csv", "--keep", "0"], "--keep"),
      (["forget"], "--user"),
      (["recommend", "--user", "u", "--diversity", "1.5"], "--diversity"),
      (["nonsense"], "nonsense"),
    ])
  func wrongUsage(arguments: [String], part: String) throws {
    let outcome = try program.start(arguments).wait()
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains(part), "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("Error: ") && outcome.output.isEmpty)
    #expect(try program.names().isEmpty)
  }
}
