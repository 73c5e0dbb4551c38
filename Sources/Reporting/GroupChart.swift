/// Values of several methods in several groups, with confidence intervals.
public struct GroupChart: Chart {
  /// A value and its interval's ends.
  public struct Value: Sendable {
    /// The value.
    public let value: Double
    /// The interval's ends; empty for none.
    public let interval: [Double]

    /// Creates a value.
    public init(_ value: Double, _ interval: [Double]) {
      self.value = value
      self.interval = interval.filter(\.isFinite)
    }
  }

  /// One method: a value for each group, nil where it has none.
  public struct Series: Sendable {
    /// Its name.
    public let name: String
    /// Its values.
    public let values: [Value?]

    /// Creates a method's values.
    public init(_ name: String, _ values: [Value?]) {
      self.name = name
      self.values = values
    }
  }

  /// What the plot shows.
  public let summary: String
  private let groups: [String]
  private let series: [Series]
  private let axis: Axis
  private let label: String

  /// Creates a plot.
  ///
  /// - Parameters:
  ///   - groups: the groups' names, from left to right.
  ///   - x: what the groups are by.
  ///   - y: what is measured.
  public init(_ summary: String, groups: [String], x: String, y: String, _ series: [Series]) {
    self.summary = summary
    self.groups = groups
    self.series = series
    label = x
    axis = Axis(
      y,
      values: series.flatMap { series in
        series.values.flatMap { $0.map { [$0.value] + $0.interval } ?? [] }
      }, includesZero: true)
  }

  /// A name for each method.
  public var legend: [LegendEntry] { series.enumerated().map { LegendEntry($1.name, $0) } }

  /// The drawing.
  public func svg(width: Double) -> String {
    var canvas = Canvas(width: width, height: 280, margins: .init(left: Canvas.leftMargin(axis)))
    canvas.verticalAxis(axis)
    canvas.line("axis", canvas.left, canvas.bottom, canvas.right, canvas.bottom)
    canvas.text(
      "label middle", (canvas.left + canvas.right) / 2, canvas.height - 8, label)
    let room = (canvas.right - canvas.left) / Double(max(1, groups.count))
    let step = min(22, room * 0.8 / Double(max(1, series.count)))
    for (place, group) in groups.enumerated() {
      let middle = canvas.left + room * (Double(place) + 0.5)
      canvas.text("label middle", middle, canvas.bottom + 17, group)
      if place > 0 {
        canvas.line("grid", middle - room / 2, canvas.top, middle - room / 2, canvas.bottom)
      }
      for (number, method) in series.enumerated() {
        guard let entry = method.values[place], entry.value.isFinite else { continue }
        let x = middle + (Double(number) - Double(series.count - 1) / 2) * step
        if entry.interval.count == 2 {
          canvas.line(
            "whisker \(colour(number))", x, canvas.y(axis.position(entry.interval[0])), x,
            canvas.y(axis.position(entry.interval[1])))
        }
        let interval =
          entry.interval.count == 2
          ? " [\(decimals(entry.interval[0], 4)), \(decimals(entry.interval[1], 4))]" : ""
        canvas.circle(
          "mark \(colour(number))", x, canvas.y(axis.position(entry.value)),
          radius: number == 0 ? 4.5 : 3.5,
          title: "\(method.name), \(group): \(decimals(entry.value, 4))\(interval)")
      }
    }
    return canvas.svg(summary)
  }
}
