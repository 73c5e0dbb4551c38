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
      (["pretrain", "c.txt", "--steps", "0"], "--steps"),
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
      (["pretrain", "c.txt", "--crop-weight", "-1"], "--crop-weight"),
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
      (["vocab", "f.txt", "--output", "v.txt", "--size", "99999999999999"], "--size"),
      (["tokenize", "--vocab", "v.txt", "--threads", "99999999999"], "--threads"),
      (["pretrain", "c.txt", "--epochs", "1e300"], "--epochs"),
      (["pretrain", "c.txt", "--minutes", "inf"], "--minutes"),
      (["pretrain", "c.txt", "--batch-tokens", "999999999999"], "--batch-tokens"),
      (["finetune", "b.csv", "--minutes", "nan"], "--minutes"),
      (["finetune", "b.csv", "--rank", "99999999999"], "--rank"),
      (["finetune", "b.csv", "--positive-label", "nan"], "--positive-label"),
      (["split", "b.csv", "--output", "s", "--cold", "nan"], "--cold"),
      (["update", "--data", "d.csv", "--replay", "1e300"], "--replay"),
      (["update", "--data", "d.csv", "--epochs", "99999999999"], "--epochs"),
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

  #if Server
    @Test(
      "limits of a server that nothing could keep are refused",
      arguments: ["--deadline", "--idle-timeout", "--update-every"])
    func serverLimits(flag: String) throws {
      for value in ["1e300", "nan", "inf", "0"] {
        let outcome = try program.run("serve", flag, value)
        #expect(outcome.status == 64 && outcome.errors.contains(flag), "\(outcome.errors)")
      }
    }
  #endif

  @Test("results that can't be written are one line on standard error and 1")
  func fullDisk() throws {
    let outcome = try program.shell(
      "printf 'a b\\nb a\\n' >c.txt && $ENCODER vocab c.txt --size 20 --output v.txt --quiet && "
        + "$ENCODER tokenize --vocab v.txt c.txt >/dev/full")
    #expect(outcome.status == 1)
    #expect(outcome.errorLines.count == 1)
    #expect(
      outcome.errors.hasPrefix(
        "error: the results can't be written: standard output: No space left on device; "),
      "\(outcome.errors)")
    // 200,000 lines are more than a pipe holds.
    let closed = try program.shell(
      "yes 'a b' | head -200000 >many.txt; ($ENCODER tokenize --vocab v.txt many.txt; echo $? >code) "
        + "| head -1; cat code")
    #expect(["141", "1"].contains(closed.output.split(separator: "\n").last), "\(closed.output)")
    #expect(closed.errors.isEmpty, "\(closed.errors)")
  }
}
