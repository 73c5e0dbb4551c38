/// Gathers texts into batches of about the wanted size.
struct BatchCollector {
  private let maximumBytes: Int
  private var batch = TextSource.Batch()
  private var batchBytes = 0
  private(set) var summary = TextSource.Summary()
  /// The names of the features that come with each text.
  var columns: [String] = []

  init(maximumBytes: Int) {
    self.maximumBytes = maximumBytes
  }

  mutating func add(
    _ text: String, id: String?, features: [String] = [],
    _ body: (TextSource.Batch) throws -> Void
  ) throws {
    if let id {
      if batch.ids == nil { batch.ids = [] }
      batch.ids?.append(id)
    }
    if !columns.isEmpty {
      if batch.features == nil {
        batch.features = FeatureTable(
          columns: columns.map { .init(name: $0, values: []) }, rowCount: 0)
      }
      batch.features?.append(features)
    }
    batch.texts.append(text)
    batchBytes += text.utf8.count
    summary.texts += 1
    summary.bytes += text.utf8.count
    if isBlank(text) { summary.blank += 1 }
    if batchBytes >= maximumBytes || batch.texts.count >= 1 << 16 { try flush(body) }
  }

  mutating func flush(_ body: (TextSource.Batch) throws -> Void) throws {
    if batch.texts.isEmpty { return }
    let full = batch
    batch = TextSource.Batch()
    batch.first = summary.texts
    batchBytes = 0
    try body(full)
  }

  mutating func note(badRows: Int, first: String?) {
    summary.badRows = badRows
    summary.firstBadRow = first
  }
}

/// Whether a text is empty or white space only.
package func isBlank(_ text: String) -> Bool {
  text.unicodeScalars.allSatisfy { $0.properties.isWhitespace }
}
