import Foundation

/// The texts of a corpus, read in batches without holding the file.
///
/// - `.txt` and unknown names: one text a line; lines end at \n (a \r before it goes), blank lines count.
/// - `.csv`, `.tsv`: the text column, else `text`, else title, description, ... joined by ". " (see
///   `TextColumns`); the id is `item_id` or one of its aliases, `id` among them.
/// - `movies.dat`, `u.item`, `news.tsv`: as MovieLens and MIND have them (see `TableLayout`).
/// - `.jsonl`, `.ndjson`: one object a line with the same names; a list of texts is joined by blanks.
///
/// `.gz` behind any of these and "-" (standard input) are read too.
///
///     try TextSource(path: "corpus.txt").forEachBatch { batch in print(batch.texts.count) }
public struct TextSource: Sendable {
  /// How a corpus is laid out.
  public enum Format: String, Sendable, CaseIterable {
    /// One text a line.
    case lines
    /// Comma-separated values with a header.
    case csv
    /// Tab-separated values with a header.
    case tsv
    /// One JSON object a line.
    case jsonl
  }

  /// How a corpus is read; nil and empty values mean: find it by name.
  public struct Options: Sendable {
    /// The layout; nil tells by the file's name.
    public var format: Format?
    /// The columns that make the text (`--text-column`, several are joined).
    public var textColumns: [String] = []
    /// The id column (`--item-column`).
    public var idColumn: String?
    /// Counts malformed rows instead of stopping at the first (`--skip-bad-rows`).
    public var skipBadRows = false
    /// Columns whose values come with the texts where a table or objects have them, as features of items.
    public var featureColumns: [String] = []
    /// Whether a corpus may be empty or all blank; else that is an error.
    public var allowsNoText = false

    /// Creates the options that find everything by name.
    public init() {}
  }

  /// Consecutive texts.
  public struct Batch: Sendable {
    /// The texts; blank ones too.
    public internal(set) var texts: [String] = []
    /// An id for each text, when the corpus has ids.
    public internal(set) var ids: [String]?
    /// The columns that were asked for and are there, a row a text; nil when none is.
    public internal(set) var features: FeatureTable?
    /// The number of the first text, from 0.
    public internal(set) var first = 0
  }

  /// What was read.
  public struct Summary: Sendable, Equatable {
    /// Texts, blank ones too.
    public internal(set) var texts = 0
    /// Texts that are empty or white space.
    public internal(set) var blank = 0
    /// Malformed rows that were left out.
    public internal(set) var badRows = 0
    /// What was wrong with the first of them.
    public internal(set) var firstBadRow: String?
    /// UTF-8 bytes of all texts.
    public internal(set) var bytes = 0
  }

  /// The file; "-" is standard input.
  public let path: String
  /// How the corpus is laid out.
  public let format: Format
  private let options: Options

  /// Describes a corpus; nothing is read before `forEachBatch`.
  public init(path: String, options: Options = Options()) {
    self.path = path
    self.options = options
    format = options.format ?? Format(path: path)
  }

  /// Describes the corpus in the file `url`.
  public init(_ url: URL, options: Options = Options()) {
    self.init(path: url.path, options: options)
  }

  /// Calls `body` with batches of texts in the order of the file.
  ///
  /// - Parameter maximumBytes: a batch ends when its texts reach this many UTF-8 bytes.
  /// - Throws: `DatasetError` for a file that can't be read, text that isn't UTF-8, a malformed row and,
  ///   unless `allowsNoText` is set, a corpus without a text that isn't blank; and what `body` throws.
  @discardableResult
  public func forEachBatch(
    maximumBytes: Int = 1 << 22, _ body: (Batch) throws -> Void
  ) throws -> Summary {
    var collector = BatchCollector(maximumBytes: maximumBytes)
    switch format {
    case .lines: try readLines(into: &collector, body)
    case .csv, .tsv: try readTable(into: &collector, body)
    // Objects with features are read as a table of items is.
    case .jsonl where !options.featureColumns.isEmpty: try readTable(into: &collector, body)
    case .jsonl: try readObjects(into: &collector, body)
    }
    try collector.flush(body)
    let summary = collector.summary
    guard summary.blank < summary.texts || options.allowsNoText else {
      throw DatasetError(
        summary.texts == 0 ? "no texts" : "all \(summary.texts) texts are blank", path: name,
        advice: "give a file with a text in each row")
    }
    return summary
  }

  /// All texts and ids at once, for corpora that fit into memory.
  ///
  /// - Throws: as `forEachBatch` does.
  public func readAll() throws -> (batch: Batch, summary: Summary) {
    var all = Batch()
    let summary = try forEachBatch { batch in
      all.texts += batch.texts
      if let ids = batch.ids { all.ids = (all.ids ?? []) + ids }
      guard let features = batch.features else { return }
      if all.features == nil { all.features = features } else { all.features?.append(features) }
    }
    return (all, summary)
  }

  private var name: String { path == "-" ? "standard input" : path }

  // MARK: Layouts

  private func readLines(
    into collector: inout BatchCollector, _ body: (Batch) throws -> Void
  ) throws {
    let reader = try LineReader(path: path, skipBadLines: options.skipBadRows)
    while let line = try reader.next() {
      try collector.add(String(decoding: line, as: UTF8.self), id: nil, body)
    }
    collector.note(badRows: reader.badLineCount, first: reader.firstBadLine)
  }

  private func readTable(
    into collector: inout BatchCollector, _ body: (Batch) throws -> Void
  ) throws {
    var table = TableOptions()
    table.skipBadRows = options.skipBadRows
    // A name tells less than the first line: a .tsv may be MIND's news, without a header.
    if let format = options.format, format != .jsonl {
      table.format = format == .tsv ? .tsv : .csv
    }
    let reader = try TableOpening.open(path: path, kind: .items, options: table).reader
    let names = ColumnNames(header: reader.header)
    let text = try TextColumns(names, override: options.textColumns, file: reader.name)
    guard !text.columns.isEmpty else {
      throw DatasetError(
        "no text column among: \(reader.header.joined(separator: ", "))", path: name, line: 1,
        advice: "name it with --text-column")
    }
    let id =
      try options.idColumn.map { try names.named($0, flag: "--item-column", file: reader.name) }
      ?? names.first(of: ColumnNames.itemAliases + ["id"])
    let features = options.featureColumns.compactMap { name in
      reader.header.firstIndex { ColumnNames.plain($0).utf8.elementsEqual(name.utf8) }
    }
    collector.columns = features.map { ColumnNames.plain(reader.header[$0]) }
    while try reader.next() {
      try collector.add(
        text.join(reader.string), id: id.map(reader.string), features: features.map(reader.string),
        body)
    }
    collector.note(badRows: reader.badRowCount, first: reader.firstBadRow)
  }

  private func readObjects(
    into collector: inout BatchCollector, _ body: (Batch) throws -> Void
  ) throws {
    let reader = try LineReader(path: path, skipBadLines: options.skipBadRows)
    let picker = ObjectPicker(textColumns: options.textColumns, idColumn: options.idColumn)
    while let line = try reader.next() {
      if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
      do {
        let record = try picker.pick(line)
        try collector.add(record.text, id: record.id, body)
      } catch let problem as ObjectPicker.Problem {
        try reader.reject(problem.what, advice: problem.advice)
      }
    }
    collector.note(badRows: reader.badLineCount, first: reader.firstBadLine)
  }
}

extension TextSource.Format {
  /// The layout that a file name tells; lines when it tells nothing.
  public init(path: String) {
    var name = path.lowercased()[...]
    if name.hasSuffix(".gz") { name = name.dropLast(3) }
    if name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson") {
      self = .jsonl
    } else {
      switch DelimitedFormat(path: path) {
      case .csv: self = .csv
      case .tsv: self = .tsv
      // MovieLens' list of films, which the first line tells apart.
      case nil where name.hasSuffix("movies.dat"): self = .csv
      case nil: self = .lines
      }
    }
  }
}
