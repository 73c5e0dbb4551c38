/// A report: one HTML file with everything in it, readable without a network and without scripts.
public struct Page: Sendable {
  /// A part of a report under a heading.
  public struct Section: Sendable {
    /// The heading.
    public let title: String
    /// What stands below it.
    public var blocks: [Block]

    /// Creates a section.
    public init(_ title: String, _ blocks: [Block] = []) {
      self.title = title
      self.blocks = blocks
    }
  }

  /// A piece of a section.
  public enum Block: Sendable {
    /// A paragraph.
    case text(String)
    /// Figures that count most, large: a value and what it is.
    case tiles([(value: String, name: String)])
    /// A plot with a caption, and its numbers, which open on demand.
    case figure(any Chart, caption: String, Table?)
    /// Plots that stand side by side where there is room.
    case figures([(chart: any Chart, caption: String)])
    /// A table.
    case table(Table)
    /// A table that opens on demand.
    case folded(Table)
    /// A heading of its own with pieces below it.
    case group(String, [Block])
  }

  private let title: String
  private let subtitle: String
  private let sections: [Section]

  /// Creates a page; sections without a block are left out.
  public init(_ title: String, subtitle: String, _ sections: [Section]) {
    self.title = title
    self.subtitle = subtitle
    self.sections = sections.filter { !$0.blocks.isEmpty }
  }

  /// The file's text.
  public var html: String {
    let links = sections.enumerated().map { number, section in
      "<li><a href=\"#s\(number + 1)\">\(escapedMarkup(section.title))</a></li>"
    }
    let bodies = sections.enumerated().map { number, section in
      "<section aria-labelledby=\"s\(number + 1)\"><h2 id=\"s\(number + 1)\">"
        + "\(escapedMarkup(section.title))</h2>\n"
        + section.blocks.map { Page.html($0) }.joined(separator: "\n") + "\n</section>"
    }
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
      <link rel="icon" href="data:,">
      <title>\(escapedMarkup(title))</title>
      <style>
      \(stylesheet)
      </style>
      </head>
      <body>
      <header><h1>\(escapedMarkup(title))</h1><p>\(escapedMarkup(subtitle))</p></header>
      <nav aria-label="Sections"><ul>\(links.joined())</ul></nav>
      <main>
      \(bodies.joined(separator: "\n"))
      </main>
      </body>
      </html>

      """
  }

  private static func html(_ block: Block) -> String {
    switch block {
    case .text(let text): return "<p>\(escapedMarkup(text))</p>"
    case .tiles(let tiles):
      let entries = tiles.map {
        "<div><dt>\(escapedMarkup($0.name))</dt><dd>\(escapedMarkup($0.value))</dd></div>"
      }
      return "<dl class=\"tiles\">\(entries.joined())</dl>"
    case .figure(let chart, let caption, let table):
      return figure(chart, caption, width: 760) + (table.map(folded) ?? "")
    case .figures(let figures):
      if figures.count == 1 { return figure(figures[0].chart, figures[0].caption, width: 760) }
      let isEven = figures.count % 2 == 0
      let drawn = figures.map { figure($0.chart, $0.caption, width: isEven ? 440 : 330) }
      return "<div class=\"row\(isEven ? " two" : "")\">\(drawn.joined(separator: "\n"))</div>"
    case .table(let table): return table.html
    case .folded(let table): return folded(table)
    case .group(let title, let blocks):
      return "<h3>\(escapedMarkup(title))</h3>\n"
        + blocks.map { html($0) }.joined(separator: "\n")
    }
  }

  private static func folded(_ table: Table) -> String {
    "<details><summary>Numbers: \(escapedMarkup(table.caption))</summary>\(table.html)</details>"
  }

  private static func figure(_ chart: any Chart, _ caption: String, width: Double) -> String {
    let legend = chart.legend.map { entry in
      "<li class=\"\(colour(entry.number))\">\(escapedMarkup(entry.name))</li>"
    }
    let drawings =
      width < 360
      ? chart.svg(width: width)
      : "<div class=\"wide\">\(chart.svg(width: width))</div>"
        + "<div class=\"narrow\">\(chart.svg(width: 360))</div>"
    return "<figure><figcaption>\(escapedMarkup(caption))</figcaption>"
      + (legend.isEmpty ? "" : "<ul class=\"legend\">\(legend.joined())</ul>")
      + drawings + "</figure>"
  }
}
