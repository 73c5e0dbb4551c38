import Foundation
import Reporting
import Testing

/// Where things are drawn, by hand arithmetic.
@Suite struct ChartTests {
  /// The values of an attribute of the elements whose tag begins so.
  private func values(_ name: String, of start: String, in svg: String) -> [Double] {
    svg.components(separatedBy: "<\(start)").dropFirst().compactMap { part in
      let tag = part.prefix { $0 != ">" }
      guard let found = tag.range(of: " \(name)=\"") else { return nil }
      return Double(tag[found.upperBound...].prefix { $0 != "\"" })
    }
  }

  /// The words in a drawing.
  private func words(_ svg: String) -> [String] {
    svg.components(separatedBy: "<text").dropFirst().map { part in
      String(part.drop { $0 != ">" }.dropFirst().prefix { $0 != "<" })
    }
  }

  @Test func intervalsLieWhereTheirValuesAre() throws {
    // An axis from 0 to 0.4 in steps of 0.1, on the space right of the longest name.
    let svg = IntervalChart(
      "name", label: "share",
      [.init("a", 0.4, [0.2, 0.4], isOurs: true), .init("b", 0.1, [], isOurs: false)]
    ).svg(width: 400)
    #expect(words(svg) == ["0", "0.1", "0.2", "0.3", "0.4", "share", "a", "b"])
    let marks = values("cx", of: "circle", in: svg)
    #expect(marks.count == 2)
    let (left, right) = (18 + 6.7, 400.0 - 22)
    #expect(abs(marks[0] - right) < 0.06)
    #expect(abs(marks[1] - (left + (right - left) / 4)) < 0.06)
    let whiskers = values("x1", of: "line class=\"whisker", in: svg)
    #expect(whiskers.count == 1 && abs(whiskers[0] - (left + right) / 2) < 0.06)
  }

  @Test(
    "Ticks are round numbers with as few digits as tell them apart",
    arguments: [
      ([0.0, 0.013], ["0", "0.005", "0.010", "0.015"]),
      ([0.0, 3.0], ["0", "1", "2", "3"]), ([0.0, 12_000], ["0", "5,000", "10,000", "15,000"]),
      ([0.0, 0.00002], ["0", "5·10⁻⁶", "1·10⁻⁵", "1.5·10⁻⁵", "2·10⁻⁵"]),
      ([0.0, 0.0], ["0", "1"]),
    ])
  func ticks(_ range: [Double], _ expected: [String]) {
    let bars = range.map { (name: "", value: $0) }
    let svg = BarChart("name", x: "x", y: "y", bars).svg(width: 300)
    #expect(Array(words(svg).prefix { $0 != "y" }) == expected)
  }

  @Test func linesSpanTheirPoints() {
    let svg = LineChart(
      "name", x: "step", y: "loss", includesZero: true,
      [.init("a", [(x: 10, y: 4), (x: 20, y: 2), (x: 30, y: 0)], hasMarks: true)]
    ).svg(width: 500)
    let (x, y) = (values("cx", of: "circle", in: svg), values("cy", of: "circle", in: svg))
    #expect(x.count == 3 && abs(x[2] - 486) < 0.06 && abs(x[1] - (x[0] + x[2]) / 2) < 0.06)
    #expect(abs(y[0] - 12) < 0.06 && abs(y[2] - 214) < 0.06 && abs(y[1] - 113) < 0.06)
    #expect(words(svg).contains("10") && !words(svg).contains("0.0"))
  }

  @Test func rareProbabilitiesLieOnTheDiagonalWhenTheyAreRight() {
    let points = [1e-4, 1e-3, 1e-1].map {
      ReliabilityChart.Point(predicted: $0, observed: $0, interval: [], count: 10)
    }
    let none = ReliabilityChart.Point(predicted: 0.01, observed: 0, interval: [], count: 10)
    let svg = ReliabilityChart(
      "name", x: "predicted", y: "observed", scale: .logarithmic,
      [(name: "a", points: points + [none])]
    ).svg(width: 500)
    let (x, y) = (values("cx", of: "circle", in: svg), values("cy", of: "circle", in: svg))
    #expect(x.count == 3, "a share of 0 has no logarithm")
    for place in 0..<3 {
      let (across, up) = ((x[place] - x[0]) / (x[2] - x[0]), (y[0] - y[place]) / (y[0] - y[2]))
      #expect(abs(across - [0, 1.0 / 3, 1][place]) < 0.01 && abs(across - up) < 0.01)
    }
  }

  @Test func legendsNameWhatIsDrawn() {
    let groups = GroupChart(
      "name", groups: ["0", "1"], x: "x", y: "y",
      [.init("ours", [.init(0.5, []), nil]), .init("theirs", [.init(0.4, []), .init(0.3, [])])])
    #expect(groups.legend == [LegendEntry("ours", 0), LegendEntry("theirs", 1)])
    #expect(values("cx", of: "circle", in: groups.svg(width: 300)).count == 3)
    let points = [ScatterChart.Point(x: 0, y: 0, group: 2, title: "point")]
    let scatter = ScatterChart("name", x: "x", y: "y", groups: ["a", "b", "c"], points)
    #expect(scatter.legend == [LegendEntry("c", 2)])
    #expect(scatter.svg(width: 700).contains("<title>point</title>"))
  }
}
