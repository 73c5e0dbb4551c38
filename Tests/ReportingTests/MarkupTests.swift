import Foundation
import FoundationXML
import Reporting
import Testing

/// Texts from outside can't become markup.
@Suite struct MarkupTests {
  static let hostile = "</title><script>alert('x')</script>\" onload=\"a&b\u{0}\u{202E}"

  @Test func entities() {
    #expect(
      escapedMarkup("<b onclick=\"x('&')\">") == "&lt;b onclick=&quot;x(&#39;&amp;&#39;)&quot;&gt;")
    #expect(escapedMarkup("a\u{0}\u{202E}\u{7F}b\nc") == "a\u{FFFD}\u{FFFD}\u{FFFD}b\nc")
    #expect(escapedMarkup("größe 日本 e\u{301}") == "größe 日本 e\u{301}")
  }

  @Test func shortening() {
    #expect(shortened("abc", to: 3) == "abc")
    #expect(shortened("abcd", to: 3) == "abc\u{2026}")
    #expect(shortened("", to: 0) == "")
  }

  @Test func numbers() {
    #expect(grouped(0) == "0" && grouped(999) == "999" && grouped(1000) == "1,000")
    #expect(grouped(1_234_567) == "1,234,567" && grouped(-1234) == "-1,234")
    #expect(decimals(0.12345, 3) == "0.123" && decimals(.nan, 3) == "\u{2013}")
    #expect(percent(0.256) == "25.6%" && percent(.infinity) == "\u{2013}")
  }

  static let charts: [any Chart] = [
    LineChart(hostile, x: hostile, y: hostile, [.init(hostile, [(x: 0, y: 1), (x: 2, y: .nan)])]),
    IntervalChart(hostile, label: hostile, [.init(hostile, 0.5, [0.4, 0.6], isOurs: true)]),
    GroupChart(
      hostile, groups: [hostile], x: hostile, y: hostile,
      [.init(hostile, [.init(0.5, [0.4, 0.6])]), .init("none", [nil])]),
    BarChart(hostile, x: hostile, y: hostile, [(name: hostile, value: 3)]),
    ScatterChart(
      hostile, x: hostile, y: hostile, groups: [hostile],
      [.init(x: 0, y: 0, group: 0, title: hostile)]),
    ReliabilityChart(
      hostile, x: hostile, y: hostile, scale: .logarithmic,
      [(name: hostile, points: [.init(predicted: 0.1, observed: 0.2, interval: [0, 1], count: 9)])]
    ),
  ]

  @Test("Drawings are well-formed whatever the texts and the width", arguments: 0..<6)
  func wellFormedDrawings(_ number: Int) throws {
    let chart = MarkupTests.charts[number]
    for width in [200.0, 360, 760] {
      let svg = chart.svg(width: width)
      #expect(!svg.contains("<script") && !svg.contains("nan") && !svg.contains("inf"))
      let elements = Elements()
      let parser = XMLParser(data: Data(svg.utf8))
      parser.delegate = elements
      #expect(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? ""): \(svg.prefix(300))")
      #expect(elements.names.first == "svg" && elements.names.count > 5)
      #expect(elements.attributes.allSatisfy { !$0.hasPrefix("on") })
    }
  }

  private final class Elements: NSObject, XMLParserDelegate {
    var names: [String] = []
    var attributes: [String] = []

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
      qualifiedName: String?, attributes values: [String: String]
    ) {
      names.append(name)
      attributes += values.keys
    }
  }

  @Test func pagesHoldTextsAsText() {
    let page = Page(
      MarkupTests.hostile, subtitle: MarkupTests.hostile,
      [
        .init(
          MarkupTests.hostile,
          [
            .text(MarkupTests.hostile), .tiles([(MarkupTests.hostile, MarkupTests.hostile)]),
            .table(
              Table(
                MarkupTests.hostile, header: [MarkupTests.hostile],
                [.init([MarkupTests.hostile, MarkupTests.hostile])])),
            .group(MarkupTests.hostile, [.text("inside")]),
          ]),
        .init("empty"),
      ])
    let html = page.html
    #expect(html.hasPrefix("<!doctype html>"))
    #expect(!html.contains("<script") && !html.contains("alert('"))
    #expect(!html.contains("onload=\"") && html.contains("onload=&quot;"))
    #expect(html.contains("inside") && !html.contains(">empty<"))
    // Nothing is asked for from elsewhere.
    #expect(!html.contains("http://") && !html.contains("https://") && !html.contains("url("))
  }
}
