/// What was predicted beside what came true, with the line on which both are equal.
public struct ReliabilityChart: Chart {
  /// The pairs of one range of predictions.
  public struct Point: Sendable {
    /// The mean prediction.
    public let predicted: Double
    /// The mean of what came true.
    public let observed: Double
    /// The ends of its interval.
    public let interval: [Double]
    /// How many pairs.
    public let count: Int

    /// Creates a point.
    public init(predicted: Double, observed: Double, interval: [Double], count: Int) {
      self.predicted = predicted
      self.observed = observed
      self.interval = interval
      self.count = count
    }
  }

  /// What the plot shows.
  public let summary: String
  private let series: [(name: String, points: [Point])]
  private let x: Axis
  private let y: Axis

  /// Creates a plot; on logarithmic axes points without an event have no place and are left out.
  public init(
    _ summary: String, x: String, y: String, scale: Axis.Scale,
    _ series: [(name: String, points: [Point])]
  ) {
    let usable = series.map { line in
      (
        name: line.name,
        points: line.points.filter {
          scale == .linear || ($0.predicted > 0 && $0.observed > 0)
        }
      )
    }
    let all = usable.flatMap { $0.points.flatMap { [$0.predicted, $0.observed] } }
    self.summary = summary
    self.series = usable
    self.x = Axis(x, values: all, scale: scale)
    self.y = Axis(y, values: all, scale: scale)
  }

  /// A name for each line.
  public var legend: [LegendEntry] { series.enumerated().map { LegendEntry($1.name, $0) } }

  /// The drawing.
  public func svg(width: Double) -> String {
    var canvas = Canvas(width: width, height: 340, margins: .init(left: Canvas.leftMargin(y)))
    canvas.verticalAxis(y)
    canvas.horizontalAxis(x, grid: true)
    canvas.line("reference", canvas.left, canvas.bottom, canvas.right, canvas.top)
    for (number, line) in series.enumerated() {
      let points = line.points.map {
        (canvas.x(x.position($0.predicted)), canvas.y(y.position($0.observed)))
      }
      canvas.path("line \(colour(number))", points)
      for (point, place) in zip(line.points, points) {
        if point.interval.count == 2 {
          let ends = point.interval.map { canvas.y(min(1, max(0, y.position($0)))) }
          canvas.line("whisker thin \(colour(number))", place.0, ends[0], place.0, ends[1])
        }
        canvas.circle(
          "mark \(colour(number))", place.0, place.1, radius: 4,
          title: "\(line.name): predicted \(Float(point.predicted)), "
            + "observed \(Float(point.observed)), \(grouped(point.count)) pairs")
      }
    }
    return canvas.svg(summary)
  }
}
