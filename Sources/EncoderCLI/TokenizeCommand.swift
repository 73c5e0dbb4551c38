import ArgumentParser
import Dispatch
import Foundation
import Kernels
import Tokenization

/// `encoder tokenize`: text lines to token ids.
struct TokenizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenize",
    abstract: "Turns lines of text into token ids, one JSON object a line.",
    discussion: """
      Each line of the input, empty ones too, gives one line {"ids":[...],"tokens":[...]}. Lines end \
      at \\n only. Nothing is cut unless --max-length says so.
      """)

  @Option(help: "A vocab.txt: one piece a line.")
  var vocab: String?

  @Flag(help: "With --vocab: keep case and accents.")
  var cased = false

  @Option(help: "A model directory with tokenizer.json, or vocab.txt and tokenizer_config.json.")
  var model: String?

  @Flag(name: .customLong("no-special"), help: "Leave [CLS] and [SEP] out.")
  var noSpecial = false

  @Flag(help: "Print the ids alone, separated by spaces.")
  var idsOnly = false

  @Option(help: "Cut each line to this many ids, [CLS] and [SEP] counted.")
  var maxLength: Int?

  @Option(help: "Threads (default: one for each core).")
  var threads: Int?

  @Argument(help: "A file of text lines; - is standard input.")
  var file = "-"

  func validate() throws {
    guard (vocab == nil) != (model == nil) else {
      throw ValidationError("give one of --vocab FILE and --model DIR")
    }
    if cased, model != nil {
      throw ValidationError("--cased goes with --vocab; a model directory says it itself")
    }
    if let maxLength, maxLength < (noSpecial ? 1 : 2) {
      throw ValidationError(
        noSpecial
          ? "--max-length must be at least 1"
          : "--max-length must be at least 2: [CLS] and [SEP] always stay")
    }
    try FlagLimits.check("--threads", threads, FlagLimits.threads)
  }

  func run() throws {
    let tokenizer = try loadTokenizer()
    let workers = Workers(count: threads)
    let input = try LineBatches(path: file)
    let texts = TokenTexts(tokenizer.vocabulary)
    // As many batches as workers are encoded at once and written in order.
    while true {
      var batches: [[UInt8]] = []
      while batches.count < workers.count, let batch = try input.next() { batches.append(batch) }
      if batches.isEmpty { break }
      for part in encode(batches, tokenizer, texts) {
        try StandardOutput.write(part)
      }
    }
  }

  private func loadTokenizer() throws -> Tokenizer {
    if let vocab {
      let vocabulary = try Vocabulary(contentsOf: URL(fileURLWithPath: vocab))
      return Tokenizer(vocabulary: vocabulary, options: TokenizerOptions(lowercase: !cased))
    }
    return try Tokenizer.load(directory: URL(fileURLWithPath: model ?? ""))
  }

  private func encode(
    _ batches: [[UInt8]], _ tokenizer: Tokenizer, _ texts: TokenTexts
  ) -> [[UInt8]] {
    [[UInt8]](unsafeUninitializedCapacity: batches.count) { results, count in
      results.initialize(repeating: [])
      count = batches.count
      nonisolated(unsafe) let results = results
      DispatchQueue.concurrentPerform(iterations: batches.count) { index in
        results[index] = encode(batches[index], tokenizer, texts)
      }
    }
  }

  /// The output lines of one batch of input lines.
  private func encode(
    _ batch: [UInt8], _ tokenizer: Tokenizer, _ texts: TokenTexts
  ) -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(batch.count * 2)
    var scratch = EncodingScratch()
    var ids: [Int32] = []
    batch.withUnsafeBufferPointer { bytes in
      var start = 0
      while start < bytes.count {
        let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
        ids.removeAll(keepingCapacity: true)
        tokenizer.encode(
          utf8: UnsafeBufferPointer(rebasing: bytes[start..<end]), addSpecialTokens: !noSpecial,
          maximumLength: maxLength, scratch: &scratch, into: &ids)
        append(ids, texts, to: &output)
        start = end + 1
      }
    }
    return output
  }

  private func append(_ ids: [Int32], _ texts: TokenTexts, to output: inout [UInt8]) {
    if idsOnly {
      texts.append(ids, separator: UInt8(ascii: " "), quoted: false, to: &output)
    } else {
      output.append(contentsOf: #"{"ids":["#.utf8)
      texts.append(ids, separator: UInt8(ascii: ","), quoted: false, to: &output)
      output.append(contentsOf: #"],"tokens":["#.utf8)
      texts.append(ids, separator: UInt8(ascii: ","), quoted: true, to: &output)
      output.append(contentsOf: "]}".utf8)
    }
    output.append(UInt8(ascii: "\n"))
  }
}

/// Each token as a JSON string and its id in decimal digits, made once: output is then copying.
private struct TokenTexts {
  private var quoted: [UInt8] = []
  private var quotedEnds: [Int] = []
  private var digits: [UInt8] = []
  private var digitEnds: [Int] = []

  init(_ vocabulary: Vocabulary) {
    for id in 0..<Int32(vocabulary.count) {
      JSONValue.appendQuoted(vocabulary.token(id).utf8, to: &quoted)
      quotedEnds.append(quoted.count)
      digits.append(contentsOf: String(id).utf8)
      digitEnds.append(digits.count)
    }
  }

  /// Appends the tokens or the ids with a separator between them.
  func append(
    _ ids: [Int32], separator: UInt8, quoted isQuoted: Bool, to output: inout [UInt8]
  ) {
    let ends = isQuoted ? quotedEnds : digitEnds
    (isQuoted ? quoted : digits).withUnsafeBufferPointer { bytes in
      for (position, id) in ids.enumerated() {
        if position > 0 { output.append(separator) }
        let start = id == 0 ? 0 : ends[Int(id) - 1]
        output.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start..<ends[Int(id)]]))
      }
    }
  }
}
