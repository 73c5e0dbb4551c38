/// Points in a plane, coloured by group.
public struct ScatterChart: Chart {
  /// One point.
  public struct Point: Sendable {
    /// Where it is.
    public let x: Double
    /// Where it is.
    public let y: Double
    /// The number of its group.
    public let group: Int
    /// What pointing at it shows.
    public let title: String

    /// Creates a point.
    public init(x: Double, y: Double, group: Int, title: String) {
      self.x = x
      self.y = y
      self.group = group
      self.title = title
    }
  }

  /// What the plot shows.
  public let summary: String
  /// A name for each group that has a point.
  public let legend: [LegendEntry]
  private let points: [Point]
  private let x: Axis
  private let y: Axis

  /// Creates a plot; `groups` names the groups by their numbers.
  public init(_ summary: String, x: String, y: String, groups: [String], _ points: [Point]) {
    self.summary = summary
    self.points = points
    self.x = Axis(x, values: points.map(\.x), ends: .data(margin: 0.03))
    self.y = Axis(y, values: points.map(\.y), ends: .data(margin: 0.03))
    let used = Set(points.map(\.group))
    legend = groups.indices.filter { used.contains($0) }.map { LegendEntry(groups[$0], $0) }
  }

  /// The drawing.
  public func svg(width: Double) -> String {
    var canvas = Canvas(
      width: width, height: max(300, width * 0.66), margins: .init(left: Canvas.leftMargin(y)))
    canvas.verticalAxis(y)
    canvas.horizontalAxis(x, grid: true)
    // On a phone nothing points at a dot, and hundreds of titles are half of the page.
    let isNarrow = width < 500
    for point in points {
      canvas.circle(
        "dot \(colour(point.group))", canvas.x(x.position(point.x)),
        canvas.y(y.position(point.y)), radius: isNarrow ? 2 : 3,
        title: isNarrow ? nil : point.title)
    }
    return canvas.svg(summary)
  }
}
