/// Finds columns by name, whatever the case, blanks, `_`, `-` and RecBole's `:type` suffix.
package struct ColumnNames: Sendable {
  package let header: [String]
  private let normalized: [[UInt8]]

  package init(header: [String]) {
    self.header = header
    normalized = header.map(ColumnNames.normalize)
  }

  /// The first column whose name is one of `names`; earlier names win.
  package func first(of names: [String]) -> Int? {
    for name in names {
      let wanted = ColumnNames.normalize(name)
      if let column = normalized.firstIndex(of: wanted) { return column }
    }
    return nil
  }

  /// All columns whose name is one of `names`, in the order of the file.
  package func all(of names: [String]) -> [Int] {
    let wanted = names.map(ColumnNames.normalize)
    return normalized.indices.filter { wanted.contains(normalized[$0]) }
  }

  /// The column that a flag names.
  ///
  /// - Throws: `DatasetError` that lists the columns there are.
  package func named(_ name: String, flag: String, file: String) throws -> Int {
    if let exact = header.firstIndex(where: { $0.utf8.elementsEqual(name.utf8) }) { return exact }
    if let column = first(of: [name]) { return column }
    throw DatasetError(
      "no column '\(name)' among: \(header.joined(separator: ", "))", path: file, line: 1,
      advice: separatorAdvice ?? "correct \(flag)")
  }

  /// The column that a flag names or, without one, the first of `aliases`.
  ///
  /// - Throws: `DatasetError` that names the flag when there is no such column.
  package func required(
    _ what: String, override name: String?, aliases: [String], flag: String, file: String
  ) throws -> Int {
    if let name { return try named(name, flag: flag, file: file) }
    if let column = first(of: aliases) { return column }
    throw DatasetError(
      "no \(what) column among: \(header.joined(separator: ", "))", path: file, line: 1,
      advice: separatorAdvice ?? "name it with \(flag)")
  }

  /// What to do about a header that is one column with another separator in it.
  private var separatorAdvice: String? {
    guard header.count == 1, header[0].utf8.contains(UInt8(ascii: ";")) else { return nil }
    return "the separator looks like `;`: write the file with commas, or with tabs as .tsv"
  }

  /// The name without its RecBole type: `rating:float` -> `rating`.
  package static func plain(_ name: String) -> String {
    let scalars = name.unicodeScalars
    guard let colon = scalars.lastIndex(of: ":"), colon != scalars.startIndex,
      ["token", "token_seq", "float", "float_seq"].contains(
        String(scalars[scalars.index(after: colon)...]))
    else { return name }
    return String(scalars[..<colon])
  }

  private static func normalize(_ name: String) -> [UInt8] {
    plain(name).utf8.compactMap { byte in
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
      case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: " "), UInt8(ascii: "\t"): nil
      default: byte
      }
    }
  }
}

extension ColumnNames {
  /// Names of the user column in common data sets (MovieLens, Amazon, RecBole, Yelp, Steam, KKBox).
  package static let userAliases = [
    "user_id", "user", "uid", "reviewer_id", "customer_id", "customer", "visitor_id", "member_id",
    "account_id", "profile_id", "msno", "author_id", "user_name", "session_id",
  ]
  /// Names of the item column; `parent_asin` is the one that joins Amazon's reviews and items.
  package static let itemAliases = [
    "item_id", "item", "iid", "movie_id", "movie", "parent_asin", "asin", "product_id", "product",
    "book_id", "isbn", "news_id", "article_id", "document_id", "doc_id", "video_id", "business_id",
    "anime_id", "game_id", "app_id", "song_id", "track_id", "artist_id", "recipe_id", "course_id",
    "job_id", "post_id", "listing_id", "gmap_id", "stock_code", "sku",
  ]
  /// Names of the label column.
  package static let labelAliases = [
    "label", "rating", "ratings", "score", "stars", "star_rating", "overall", "review_score",
    "click", "clicked", "is_click", "target", "weight", "play_count", "plays", "count", "quantity",
  ]
  /// Names of the time column.
  package static let timestampAliases = [
    "timestamp", "time", "ts", "datetime", "date", "unix_review_time", "unix_time", "event_time",
    "created_at", "review_date", "invoice_date",
  ]
  /// Columns of prose that make an item's text when there is no `text` column.
  package static let proseAliases = [
    "title", "name", "product_name", "item_name", "product_title", "book_title", "movie_title",
    "anime_name", "headline", "subtitle", "abstract", "summary", "description",
    "product_description", "overview", "synopsis", "plot", "tagline", "content", "body", "features",
  ]
  /// Columns of words that are added to the prose and are features too.
  package static let wordAliases = ["genres", "genre", "categories", "tags", "keywords"]
}
