/// How the columns of a table file are told apart.
public enum DelimitedFormat: String, Sendable, Codable, CaseIterable {
  /// Commas; fields may be quoted (RFC 4180).
  case csv
  /// Tabs. A field is quoted when the quote that closes it stands before a tab or the end of the same
  /// line; any other quote is an ordinary character, so files without quoting are read as they are.
  case tsv

  /// The format that a file name tells (`.tsv`, `.tab` and RecBole's `.inter`, `.user`, `.item` are
  /// tabs, `.csv` is commas, `.gz` after them is looked through), or nil.
  public init?(path: String) {
    var name = path.lowercased()[...]
    if name.hasSuffix(".gz") { name = name.dropLast(3) }
    switch name.split(separator: ".", omittingEmptySubsequences: false).last {
    case "csv": self = .csv
    case "tsv", "tab", "inter", "user", "item": self = .tsv
    default: return nil
    }
  }

  /// The format of a first line: tabs when it has one and no comma.
  init(firstLine: UnsafeBufferPointer<UInt8>) {
    self = firstLine.contains(0x09) && !firstLine.contains(0x2C) ? .tsv : .csv
  }

  var delimiter: UInt8 { self == .csv ? 0x2C : 0x09 }
}
