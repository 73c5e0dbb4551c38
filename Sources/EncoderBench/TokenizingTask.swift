import Foundation
import Tokenization

/// Texts to token ids.
struct TokenizingTask: BenchTask {
  private let tokenizer: Tokenizer
  private let texts: [String]
  private let bytes: Double
  private let threads: Int

  init(_ request: BenchRequest) throws {
    tokenizer = try Tokenizer.load(directory: URL(fileURLWithPath: request.model ?? ""))
    texts = try request.lines()
    bytes = Double(texts.reduce(0) { $0 + $1.utf8.count })
    threads = request.threads ?? 1
  }

  func measure() -> BenchAnswer {
    var ids: [[Int32]] = []
    let seconds = Stopwatch.seconds {
      ids = tokenizer.encodeBatch(texts, addSpecialTokens: false, threads: threads)
    }
    return BenchAnswer(
      seconds: seconds, work: bytes, check: Double(ids.reduce(0) { $0 + $1.count }))
  }
}

/// Training a vocabulary of pieces.
struct VocabularyTask: BenchTask {
  private let trainer: VocabularyTrainer
  private let texts: [String]
  private let bytes: Double
  private let threads: Int

  init(_ request: BenchRequest) throws {
    trainer = VocabularyTrainer(size: request.vocabulary ?? 8192)
    texts = try request.lines()
    bytes = Double(texts.reduce(0) { $0 + $1.utf8.count })
    threads = request.threads ?? 2
  }

  func measure() throws -> BenchAnswer {
    var pieces = 0
    let seconds = try Stopwatch.seconds {
      pieces = try trainer.train(texts: texts, threads: threads).vocabulary.count
    }
    return BenchAnswer(seconds: seconds, work: bytes, check: Double(pieces))
  }
}
