import Checkpoints
import Datasets
import Foundation

/// Streams texts through a vectorizer into a vector file or standard output, a chunk at a time.
struct EmbeddingJob {
  private let vectorizer: any TextVectorizer
  private let output: URL?
  private let metric: VectorMetric
  private let display: ProgressDisplay
  private var writer: (any VectorWriter)?
  private var hasIDs = false
  private var rowCount = 0
  private var cutCount = 0
  private let start = ContinuousClock.now
  /// Texts in memory at once with their vectors; also how far equal texts are noticed.
  private static let chunk = 8192

  init(
    vectorizer: any TextVectorizer, output: URL?, metric: VectorMetric, display: ProgressDisplay
  ) {
    self.vectorizer = vectorizer
    self.metric = metric
    self.output = output
    self.display = display
  }

  /// Embeds all texts of a file.
  mutating func embed(_ source: TextSource) throws {
    let total = EmbeddingJob.size(source.path)
    var seen = 0
    try source.forEachBatch { batch in
      if rowCount == 0 { describe(batch.features) }
      try embed(batch.texts, ids: batch.ids, features: batch.features)
      seen += batch.texts.reduce(0) { $0 + $1.utf8.count + 1 }
      guard let total else { return }
      let rate = Double(rowCount) / max(seconds, 1e-9)
      display.update(
        fraction: min(1, Double(seen) / Double(total)),
        text: String(format: "%d texts, %.0f texts/s", rowCount, rate), isMilestone: false)
    }
  }

  /// Says which of the columns that the vectors depend on the file doesn't have.
  private func describe(_ features: FeatureTable?) {
    let missing = vectorizer.featureColumns.filter { features?.column(named: $0) == nil }
    guard !missing.isEmpty else { return }
    display.line(
      "notice: the file has no \(missing.joined(separator: ", ")): such features count as missing")
  }

  /// The size of a plain file, by which progress is told; nil for a pipe or a compressed file.
  private static func size(_ path: String) -> Int? {
    guard path != "-", !path.lowercased().hasSuffix(".gz"),
      let attributes = try? FileManager.default.attributesOfItem(atPath: path),
      let size = attributes[.size] as? Int, size > 0
    else { return nil }
    return size
  }

  /// Embeds some texts; without `ids` a text's id is its number in the input, from 0.
  mutating func embed(_ texts: [String], ids: [String]?, features: FeatureTable? = nil) throws {
    guard ids.map({ $0.count == texts.count }) ?? true, rowCount == 0 || hasIDs == (ids != nil)
    else {
      throw CLIError(
        "some rows have an id and others haven't: rows \(rowCount) to \(rowCount + texts.count - 1);"
          + " give all of them one, or none")
    }
    hasIDs = ids != nil
    for first in stride(from: 0, to: texts.count, by: EmbeddingJob.chunk) {
      let part = first..<min(first + EmbeddingJob.chunk, texts.count)
      let (values, cut) = try vectorizer.vectors(
        Array(texts[part]), features: features?.rows(part))
      let names = ids.map { Array($0[part]) } ?? part.map { String(rowCount - first + $0) }
      var open = try writer ?? makeWriter()
      try values.withUnsafeBufferPointer { try open.append($0, ids: names) }
      writer = open
      rowCount += part.count
      cutCount += cut
    }
  }

  private func makeWriter() throws -> any VectorWriter {
    guard let output else {
      return JSONLinesVectorWriter(StandardOutputBytes(), width: vectorizer.width)
    }
    return try VectorFormat(output).writer(
      to: output, width: vectorizer.width, hasIDs: hasIDs, metric: metric)
  }

  /// Completes the output and says what was done.
  mutating func finish(json: Bool) throws {
    var open = try writer ?? makeWriter()
    try open.finish()
    if json {
      let seconds = String(format: "%.3f", seconds)
      StandardError.write(
        "{\"texts\":\(rowCount),\"cut\":\(cutCount),\"width\":\(vectorizer.width),"
          + "\"max_length\":\(vectorizer.maximumLength),\"seconds\":\(seconds)}")
      return
    }
    if cutCount > 0 {
      display.line(
        "notice: \(cutCount) of \(rowCount) texts were cut at \(vectorizer.maximumLength) tokens; "
          + "--max-length changes that")
    }
    if let output {
      display.line(
        String(
          format: "wrote %d vectors of %d values to %@ (%.1f s)", rowCount, vectorizer.width,
          output.path, seconds))
    }
    display.close()
  }

  private var seconds: Double {
    let parts = (ContinuousClock.now - start).components
    return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
  }
}

/// Standard output as the place where a text format goes.
private struct StandardOutputBytes: ByteOutput {
  func append(_ bytes: [UInt8]) throws { try StandardOutput.write(bytes) }

  func commit() throws {}
}
