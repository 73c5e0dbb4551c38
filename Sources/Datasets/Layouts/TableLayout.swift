/// How a table is laid out, told by its first line.
///
/// | layout | told by |
/// |---|---|
/// | MovieLens 1M and 10M `.dat` | a number, then `::` |
/// | MovieLens 100k u.data, u.item, u.user | no header; numbers between tabs, 24 or 5 fields between bars |
/// | MIND behaviors.tsv, news.tsv | 5 fields with a date, or 8 with an address, between tabs |
/// | JSON lines (Amazon reviews and metadata) | `{` |
/// | anything else | commas or tabs with a header: MovieLens csv, RecBole, Microsoft recommenders, ... |
enum TableLayout: Equatable {
  /// A header and rows between commas or tabs.
  case delimited(DelimitedFormat)
  /// Rows without a header, whose columns are known.
  case lines(LineLayout)
  /// Impressions of news, one row a list that was shown.
  case impressions
  /// One JSON object a line.
  case objects

  /// The layout of a file that begins with `head`.
  init(
    head: UnsafeBufferPointer<UInt8>, path: String, kind: TableKind, format: DelimitedFormat?
  ) {
    if let format {
      self = .delimited(format)
      return
    }
    let first = UnsafeBufferPointer(rebasing: head.prefix { $0 != 0x0A && $0 != 0x0D })
    if first.first(where: { $0 != 0x20 && $0 != 0x09 }) == UInt8(ascii: "{") {
      self = .objects
    } else if kind == .behaviors && LineLayout.isImpression(first) {
      self = .impressions
    } else if let known = LineLayout.known(firstLine: first, kind: kind) {
      self = .lines(known)
    } else {
      self = .delimited(
        DelimitedFormat(path: path) ?? DelimitedFormat(firstLine: first))
    }
  }

  /// What users call a file of this layout.
  func title(_ header: [String], kind: TableKind) -> String {
    switch self {
    case .lines(let layout): return layout.title
    case .impressions:
      return "MIND behaviors.tsv: history and clicks count 1, shown and not clicked 0"
    case .objects:
      let names = ColumnNames(header: header)
      let isAmazon = names.first(of: ["asin", "parent_asin"]) != nil
      return isAmazon
        ? "Amazon \(kind == .items ? "metadata" : "reviews"), JSON lines" : "JSON lines"
    case .delimited(let format):
      let text = format == .csv ? "CSV" : "TSV"
      if header.count > 0 && header.allSatisfy({ ColumnNames.plain($0) != $0 }) {
        return "RecBole atomic file"
      }
      func has(_ wanted: [String]) -> Bool {
        wanted.allSatisfy { name in header.contains { $0.utf8.elementsEqual(name.utf8) } }
      }
      if has(["userId", "movieId"]) || has(["movieId", "title", "genres"]) {
        return "MovieLens \(text)"
      }
      if has(["userID", "itemID"]) { return "\(text) with Microsoft recommenders' columns" }
      return text
    }
  }
}
