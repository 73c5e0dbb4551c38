import ArgumentParser
import Foundation
import Kernels
import Tokenization

/// `encoder vocab`: trains a WordPiece vocabulary on text files.
struct VocabCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vocab",
    abstract: "Trains a WordPiece vocabulary on a corpus.",
    discussion: """
      The corpus has one text a line, or is CSV, TSV or JSONL by its name; .gz is read too. Writes a \
      vocab.txt: the special tokens, the characters, then pieces by frequency. A text that \
      offers fewer pieces than asked for gives a smaller vocabulary and a notice.
      """)

  @Argument(help: "Corpus files; - is standard input.")
  var corpus: [String]

  @Option(help: "Number of tokens, special ones included.")
  var size: Int

  @Option(help: "The vocab.txt to write.")
  var output: String

  @Flag(help: "Keep case and accents.")
  var cased = false

  @OptionGroup var reading: CorpusOptions

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
    try FlagLimits.check("--size", size, FlagLimits.pieces)
    try FlagLimits.check("--threads", threads, FlagLimits.threads)
  }

  func run() throws {
    let display = ProgressDisplay(quiet: quiet, json: json)
    let trainer = VocabularyTrainer(size: size, options: TokenizerOptions(lowercase: !cased))
    display.line("counting words")
    let trained = try CorpusReading.trainVocabulary(
      trainer, files: corpus, options: reading.options, threads: Workers(count: threads).count,
      stop: StopSignals())
    let url = URL(fileURLWithPath: output)
    try trained.vocabulary.write(to: url)
    try report(trained, display)
  }

  private func report(_ trained: TrainedVocabulary, _ display: ProgressDisplay) throws {
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
      try StandardOutput.write(object.serialized() + [UInt8(ascii: "\n")])
    }
  }
}
