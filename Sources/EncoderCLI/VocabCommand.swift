import ArgumentParser
import Foundation
import Kernels
import Tokenization

/// `encoder vocab`: trains a WordPiece vocabulary on text files.
struct VocabCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vocab",
    abstract: "Trains a WordPiece vocabulary on text, one text a line.",
    discussion: """
      Writes a vocab.txt: the special tokens, the characters, then pieces by frequency. A text that \
      offers fewer pieces than asked for gives a smaller vocabulary and a notice.
      """)

  @Argument(help: "Text files, one text a line; - is standard input.")
  var corpus: [String]

  @Option(help: "Number of tokens, special ones included.")
  var size: Int

  @Option(help: "The vocab.txt to write.")
  var output: String

  @Flag(help: "Keep case and accents.")
  var cased = false

  @Option(help: "Threads (default: one for each core).")
  var threads: Int?

  @Flag(help: "No progress and no notices.")
  var quiet = false

  @Flag(help: "Print the result as one JSON object on standard output.")
  var json = false

  func validate() throws {
    if size < 7 {
      throw ValidationError("--size must be at least 7: five special tokens and room for pieces")
    }
    if let threads, threads < 1 { throw ValidationError("--threads must be at least 1") }
  }

  func run() throws {
    let display = ProgressDisplay(quiet: quiet, json: json)
    let trainer = VocabularyTrainer(size: size, options: TokenizerOptions(lowercase: !cased))
    let trained = try train(trainer, display)
    let url = URL(fileURLWithPath: output)
    try trained.vocabulary.write(to: url)
    report(trained, display)
  }

  /// Where text comes from: the lines of one input, in batches.
  private func lineBatches(_ path: String) throws -> LineBatches {
    try LineBatches(path: path)
  }

  private func train(
    _ trainer: VocabularyTrainer, _ display: ProgressDisplay
  ) throws -> TrainedVocabulary {
    // All inputs are opened first, so that a wrong name is told at once.
    let inputs = try corpus.map(lineBatches)
    let total = inputs.reduce(0) { $0 + ($1.totalBytes ?? 0) }
    var current = 0
    var seen = 0
    let start = ContinuousClock.now
    let trained = try trainer.train(threads: Workers(count: threads).count) {
      while current < inputs.count {
        if let batch = try inputs[current].next() {
          seen += batch.count
          showReading(seen, of: total, since: start, display)
          return batch
        }
        current += 1
      }
      return nil
    }
    display.close()
    return trained
  }

  private func showReading(
    _ seen: Int, of total: Int, since start: ContinuousClock.Instant, _ display: ProgressDisplay
  ) {
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let megabytes = Double(seen) / 1e6
    let text = String(format: "counting words: %.1f MB, %.0f MB/s", megabytes, megabytes / seconds)
    // Reading is nearly all of the work; a pipe's size isn't known.
    let fraction = total > 0 ? min(Double(seen) / Double(total), 1) : 0
    display.update(fraction: fraction, text: text, isMilestone: false)
  }

  private func report(_ trained: TrainedVocabulary, _ display: ProgressDisplay) {
    let count = trained.vocabulary.count
    if count < size {
      display.line(
        "notice: \(count) pieces instead of \(size): the text offers no more that occur twice")
    }
    if trained.droppedCharacterCount > 0 {
      display.line(
        "notice: the \(trained.droppedCharacterCount) rarest characters have no piece; words of them"
          + " become [UNK]")
    }
    display.line(
      "\(count) pieces from \(trained.wordCount) words, \(trained.distinctWordCount) different:"
        + " \(output)")
    if json {
      let object: JSONValue = [
        "output": .string(output), "pieces": .integer(Int64(count)),
        "requested": .integer(Int64(size)), "words": .integer(trained.wordCount),
        "distinct_words": .integer(Int64(trained.distinctWordCount)),
        "characters": .integer(Int64(trained.characterCount)),
        "dropped_characters": .integer(Int64(trained.droppedCharacterCount)),
        "merges": .integer(Int64(trained.mergeCount)),
      ]
      FileHandle.standardOutput.write(Data(object.serialized() + [UInt8(ascii: "\n")]))
    }
  }
}
