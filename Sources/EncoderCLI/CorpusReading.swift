import ArgumentParser
import Datasets
import Foundation
import Tokenization
import Training

/// How the texts of a corpus are found in its files.
struct CorpusOptions: ParsableArguments {
  @Option(help: "Column with the texts, of CSV, TSV and JSONL; several are joined.")
  var textColumn: [String] = []

  @Flag(help: "Leave malformed rows out and count them.")
  var skipBadRows = false

  /// The flags as options of the reader.
  var options: TextSource.Options {
    var options = TextSource.Options()
    options.textColumns = textColumn
    options.skipBadRows = skipBadRows
    return options
  }
}

/// Reads the texts of corpus files: for the vocabulary, then for the tokens.
enum CorpusReading {
  /// Calls `body` with batches of the texts of all files, in order.
  static func forEachBatch(
    _ files: [String], options: TextSource.Options, _ body: ([String]) throws -> Void
  ) throws {
    for file in files {
      try TextSource(path: file, options: options).forEachBatch { try body($0.texts) }
    }
  }

  /// Trains a vocabulary on the files.
  ///
  /// Reading runs on a thread of its own, at most a few batches
  /// ahead of the counting.
  static func trainVocabulary(
    _ trainer: VocabularyTrainer, files: [String], options: TextSource.Options, threads: Int,
    stop: StopSignals
  ) throws -> TrainedVocabulary {
    let pipe = BatchPipe()
    let thread = Thread {
      pipe.produce { send in
        try forEachBatch(files, options: options) { texts in
          var bytes: [UInt8] = []
          for text in texts {
            // A line end inside a text separates words just as a blank does.
            bytes.append(contentsOf: text.utf8)
            bytes.append(UInt8(ascii: "\n"))
          }
          try send(bytes)
        }
      }
    }
    thread.stackSize = 1 << 23
    thread.start()
    do {
      let trained = try trainer.train(threads: threads) {
        try stop.check()
        return try pipe.next()
      }
      return trained
    } catch {
      pipe.cancel()
      throw error
    }
  }

  /// Opens each file once, so that a wrong name is told before any work.
  static func check(_ files: [String]) throws {
    for file in files where !isPipe(file) { _ = try ByteSource(path: file) }
  }

  /// Whether a name stands for something that can be read only once.
  private static func isPipe(_ file: String) -> Bool {
    if file == "-" { return true }
    var status = stat()
    guard stat(file, &status) == 0 else { return false }
    return [S_IFIFO, S_IFCHR, S_IFSOCK].contains(status.st_mode & S_IFMT)
  }

  /// A pipe can be read only once, and training reads a corpus twice: its bytes go to a temporary file,
  /// whose path is returned with `isTemporary`.
  static func spooled(
    _ file: String, stop: StopSignals
  ) throws -> (path: String, isTemporary: Bool) {
    guard isPipe(file) else { return (file, false) }
    let folder = FileManager.default.temporaryDirectory
    let url = folder.appendingPathComponent("encoder-corpus-\(UUID().uuidString).txt")
    let source = try ByteSource(path: file)
    try AtomicFile.write(to: url) { writer in
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
      defer { buffer.deallocate() }
      while true {
        try stop.check()
        let count = try source.read(into: buffer)
        if count == 0 { break }
        try writer.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      }
    }
    return (url.path, true)
  }
}

/// Hands batches from a producing thread to a consuming one, at most ``capacity`` at a time.
final class BatchPipe: @unchecked Sendable {
  private static let capacity = 4
  private struct Cancelled: Error {}

  private let condition = NSCondition()
  private var batches: [[UInt8]] = []
  private var isFinished = false
  private var isCancelled = false
  private var failure: (any Error)?

  /// Runs a producer; what it throws reaches the consumer.
  func produce(_ body: (([UInt8]) throws -> Void) throws -> Void) {
    var thrown: (any Error)?
    do {
      try body { batch in
        condition.lock()
        defer { condition.unlock() }
        while batches.count >= BatchPipe.capacity && !isCancelled { condition.wait() }
        if isCancelled { throw Cancelled() }
        batches.append(batch)
        condition.broadcast()
      }
    } catch { thrown = error }
    condition.lock()
    failure = thrown
    isFinished = true
    condition.broadcast()
    condition.unlock()
  }

  /// The next batch, or nil at the end.
  func next() throws -> [UInt8]? {
    condition.lock()
    defer { condition.unlock() }
    while batches.isEmpty && !isFinished { condition.wait() }
    if !batches.isEmpty {
      let batch = batches.removeFirst()
      condition.broadcast()
      return batch
    }
    if let failure { throw failure }
    return nil
  }

  /// Lets a waiting producer end.
  func cancel() {
    condition.lock()
    isCancelled = true
    condition.broadcast()
    condition.unlock()
  }
}
