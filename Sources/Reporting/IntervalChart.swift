/// Values with their confidence intervals, one below the other: methods by a metric.
public struct IntervalChart: Chart {
  /// One line.
  public struct Row: Sendable {
    /// Its name.
    public let name: String
    /// The value.
    public let value: Double
    /// The interval's ends; empty for none.
    public let interval: [Double]
    /// The number of its colour.
    public let number: Int

    /// Creates a line; the one to look at is drawn stronger than the others.
    public init(_ name: String, _ value: Double, _ interval: [Double], isOurs: Bool) {
      self.name = name
      self.value = value
      self.interval = interval.filter(\.isFinite)
      number = isOurs ? 0 : 7
    }
  }

  /// What the plot shows.
  public let summary: String
  private let rows: [Row]
  private let axis: Axis

  /// Creates a plot of rows, drawn from top to bottom; those without a value are left out.
  public init(_ summary: String, label: String, _ rows: [Row]) {
    self.summary = summary
    self.rows = rows.filter { $0.value.isFinite }
    axis = Axis(
      label, values: self.rows.flatMap { [$0.value] + $0.interval }, includesZero: true,
      tickCount: 4)
  }

  /// The names stand beside the rows.
  public var legend: [LegendEntry] { [] }

  /// The drawing.
  public func svg(width: Double) -> String {
    let longest = rows.map(\.name.unicodeScalars.count).max() ?? 0
    let left = min(width * 0.45, 18 + 6.7 * Double(longest))
    var canvas = Canvas(
      width: width, height: 62 + 24 * Double(rows.count),
      margins: .init(left: left, right: 22))
    canvas.horizontalAxis(axis, grid: true)
    for (index, row) in rows.enumerated() {
      let y = canvas.top + (Double(index) + 0.5) * 24
      let x = canvas.x(axis.position(row.value))
      canvas.text(row.number == 0 ? "label end strong" : "label end", left - 8, y + 4, row.name)
      canvas.line("stem \(colour(row.number))", canvas.left, y, x, y)
      if row.interval.count == 2 {
        canvas.line(
          "whisker \(colour(row.number))", canvas.x(axis.position(row.interval[0])), y,
          canvas.x(axis.position(row.interval[1])), y)
      }
      let interval =
        row.interval.count == 2
        ? " [\(decimals(row.interval[0], 4)), \(decimals(row.interval[1], 4))]" : ""
      canvas.circle(
        "mark \(colour(row.number))", x, y, radius: row.number == 0 ? 4.5 : 3.5,
        title: "\(row.name): \(decimals(row.value, 4))\(interval)")
    }
    return canvas.svg(summary)
  }
}
