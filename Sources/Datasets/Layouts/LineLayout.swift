/// Rows without a header and without quoting: one a line, fields between separators, known columns.
struct LineLayout: Equatable {
  /// What users call such a file.
  var title: String
  /// What stands between fields.
  var separator: [UInt8]
  /// A name for each field.
  var columns: [String]
  /// Whether bytes that aren't UTF-8 are Latin-1, as in the older MovieLens files.
  var isLatin1 = false
  /// Fields of 0 and 1 at the end of the row that become one column, the names of those that are 1.
  var flags: [String] = []
  /// The name of the column that the flags become.
  var flagColumn = "genres"

  /// The known layout of a first line, or nil.
  static func known(
    firstLine line: UnsafeBufferPointer<UInt8>, kind: TableKind
  ) -> LineLayout? {
    let double = fields(line, separator: colons)
    if double.count > 2, isNumber(double[0]) {
      return movieLensDat(kind, fields: double.count)
    }
    let bars = fields(line, separator: [UInt8(ascii: "|")])
    if isNumber(bars[0]) {
      if kind == .items && bars.count == 24 { return movieLens100kItems }
      if kind == .users && bars.count == 5 { return movieLens100kUsers }
    }
    let tabs = fields(line, separator: [0x09])
    if kind == .behaviors && tabs.count == 4 && tabs.allSatisfy(isNumber) {
      return LineLayout(
        title: "MovieLens 100k u.data: user, item, rating, time", separator: [0x09],
        columns: ["user_id", "item_id", "rating", "timestamp"])
    }
    if kind == .items && tabs.count == 8 && tabs[5].starts(with: "http".utf8) { return news }
    return nil
  }

  /// Whether a line is one of MIND's behaviors.tsv: impression, user, date, history, items shown.
  static func isImpression(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
    let tabs = fields(line, separator: [0x09])
    return tabs.count == 5 && tabs[2].contains(UInt8(ascii: "/")) && parseTimestamp(tabs[2]) != nil
  }

  /// MIND's behaviors.tsv before its lists are taken apart.
  static let impressions = LineLayout(
    title: "MIND behaviors.tsv", separator: [0x09],
    columns: ["impression_id", "user_id", "time", "history", "impressions"])

  private static let news = LineLayout(
    title: "MIND news.tsv", separator: [0x09],
    columns: [
      "news_id", "category", "subcategory", "title", "abstract", "url", "title_entities",
      "abstract_entities",
    ])

  private static let colons = Array("::".utf8)

  private static func movieLensDat(_ kind: TableKind, fields: Int) -> LineLayout? {
    switch (kind, fields) {
    case (.behaviors, 4):
      LineLayout(
        title: "MovieLens ratings.dat: user::item::rating::time", separator: colons,
        columns: ["user_id", "movie_id", "rating", "timestamp"])
    case (.items, 3):
      LineLayout(
        title: "MovieLens movies.dat: item::title::genres", separator: colons,
        columns: ["movie_id", "title", "genres"], isLatin1: true)
    case (.users, 5):
      LineLayout(
        title: "MovieLens users.dat: user::gender::age::occupation::zip", separator: colons,
        columns: ["user_id", "gender", "age", "occupation", "zip_code"], isLatin1: true)
    default: nil
    }
  }

  private static let movieLens100kItems = LineLayout(
    title: "MovieLens 100k u.item", separator: [UInt8(ascii: "|")],
    columns: ["movie_id", "title", "release_date", "video_release_date", "imdb_url"],
    isLatin1: true,
    flags: [
      "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime",
      "Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance",
      "Sci-Fi", "Thriller", "War", "Western",
    ])

  private static let movieLens100kUsers = LineLayout(
    title: "MovieLens 100k u.user", separator: [UInt8(ascii: "|")],
    columns: ["user_id", "age", "gender", "occupation", "zip_code"], isLatin1: true)

  private static func isNumber(_ field: UnsafeBufferPointer<UInt8>) -> Bool {
    parseDouble(field) != nil
  }

  /// The fields of a line; at least one.
  static func fields(
    _ line: UnsafeBufferPointer<UInt8>, separator: [UInt8]
  ) -> [UnsafeBufferPointer<UInt8>] {
    var fields: [UnsafeBufferPointer<UInt8>] = []
    forEachField(line, separator: separator) { fields.append(.init(rebasing: line[$0])) }
    return fields
  }

  /// Calls `body` with the range of each field of a line.
  @inline(__always)
  static func forEachField(
    _ line: UnsafeBufferPointer<UInt8>, separator: [UInt8], _ body: (Range<Int>) -> Void
  ) {
    let (head, width) = (separator[0], separator.count)
    var start = 0
    var place = 0
    while place + width <= line.count {
      if line[place] == head && (width == 1 || line[place + 1] == separator[1]) {
        body(start..<place)
        place += width
        start = place
      } else {
        place += 1
      }
    }
    body(start..<line.count)
  }
}
