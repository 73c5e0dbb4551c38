/// A table of a report; the first column names the rows.
public struct Table: Sendable {
  /// One row.
  public struct Row: Sendable {
    /// Its cells.
    public let cells: [String]
    /// Whether it is the one to look at.
    public let isStrong: Bool

    /// Creates a row.
    public init(_ cells: [String], isStrong: Bool = false) {
      self.cells = cells
      self.isStrong = isStrong
    }
  }

  /// What the table shows.
  public let caption: String
  private let header: [String]
  private let rows: [Row]
  private let isNumeric: Bool

  /// Creates a table.
  ///
  /// - Parameter isNumeric: whether all columns but the first hold numbers, which stand on the right.
  public init(_ caption: String, header: [String], isNumeric: Bool = true, _ rows: [Row]) {
    self.caption = caption
    self.header = header
    self.rows = rows
    self.isNumeric = isNumeric
  }

  /// The element, in a box that scrolls sideways where the table is wider than the page.
  var html: String {
    let cells = header.map { "<th scope=\"col\">\(escapedMarkup($0))</th>" }.joined()
    let lines = rows.map { row in
      let cells = row.cells.enumerated().map { place, cell in
        place == 0
          ? "<th scope=\"row\">\(escapedMarkup(cell))</th>" : "<td>\(escapedMarkup(cell))</td>"
      }
      return "<tr\(row.isStrong ? " class=\"strong\"" : "")>\(cells.joined())</tr>"
    }
    return "<div class=\"scroll\" tabindex=\"0\" role=\"region\""
      + attribute("aria-label", caption) + "><table\(isNumeric ? " class=\"numbers\"" : "")>"
      + "<caption>\(escapedMarkup(caption))</caption><thead><tr>\(cells)</tr></thead>"
      + "<tbody>\(lines.joined(separator: "\n"))</tbody></table></div>"
  }
}
