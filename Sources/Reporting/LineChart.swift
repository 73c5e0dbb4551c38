/// Lines over a common axis: losses over steps, for example.
public struct LineChart: Chart {
  /// One line.
  public struct Series: Sendable {
    /// Its name in the legend.
    public let name: String
    /// Its points, from left to right.
    public let points: [(x: Double, y: Double)]
    /// Whether each point is marked, as suits few of them.
    public let hasMarks: Bool

    /// Creates a line; points that aren't finite are left out.
    public init(_ name: String, _ points: [(x: Double, y: Double)], hasMarks: Bool = false) {
      self.name = name
      self.points = points.filter { $0.x.isFinite && $0.y.isFinite }
      self.hasMarks = hasMarks
    }
  }

  /// What the plot shows.
  public let summary: String
  private let series: [Series]
  private let x: Axis
  private let y: Axis
  private let height: Double

  /// Creates a plot of lines.
  ///
  /// - Parameters:
  ///   - x: the label below.
  ///   - y: the label beside.
  ///   - includesZero: whether the vertical axis begins at 0.
  public init(
    _ summary: String, x: String, y: String, includesZero: Bool = false, height: Double = 260,
    _ series: [Series]
  ) {
    self.summary = summary
    self.series = series.filter { !$0.points.isEmpty }
    self.x = Axis(
      x, values: self.series.flatMap { $0.points.map(\.x) }, ends: .data(margin: 0), tickCount: 6)
    self.y = Axis(
      y, values: self.series.flatMap { $0.points.map(\.y) }, includesZero: includesZero)
    self.height = height
  }

  /// A name for each line, where there are several.
  public var legend: [LegendEntry] {
    let entries = series.enumerated().map { LegendEntry($1.name, $0) }
    return series.count > 1 ? entries : []
  }

  /// The drawing.
  public func svg(width: Double) -> String {
    var canvas = Canvas(
      width: width, height: height, margins: .init(left: Canvas.leftMargin(y)))
    canvas.verticalAxis(y)
    canvas.horizontalAxis(x)
    for (number, line) in series.enumerated() {
      let points = line.points.map { (canvas.x(x.position($0.x)), canvas.y(y.position($0.y))) }
      canvas.path("line d\(number % 4) \(colour(number))", points)
      // Points to hover over: all of few, some of many.
      let every = max(1, points.count / 60)
      for (index, point) in points.enumerated()
      where index % every == 0 || index == points.count - 1 {
        let value = line.points[index]
        canvas.circle(
          line.hasMarks ? "mark \(colour(number))" : "hover \(colour(number))", point.0, point.1,
          radius: line.hasMarks ? 3 : 4,
          title: "\(line.name): \(short(value.y)) at \(x.label) \(short(value.x))")
      }
    }
    return canvas.svg(summary)
  }

  private func short(_ value: Double) -> String {
    if value == value.rounded(), abs(value) < 1e15 { return grouped(Int(value)) }
    return abs(value) >= 0.01 ? decimals(value, 4) : "\(Float(value))"
  }
}
