/// Bars side by side: how many fall into each range.
public struct BarChart: Chart {
  /// What the plot shows.
  public let summary: String
  private let bars: [(name: String, value: Double)]
  private let axis: Axis
  private let label: String

  /// Creates a plot of bars from left to right.
  public init(_ summary: String, x: String, y: String, _ bars: [(name: String, value: Double)]) {
    self.summary = summary
    self.bars = bars
    label = x
    axis = Axis(y, values: bars.map(\.value), includesZero: true, tickCount: 4)
  }

  /// All bars are of one kind.
  public var legend: [LegendEntry] { [] }

  /// The drawing.
  public func svg(width: Double) -> String {
    var canvas = Canvas(width: width, height: 220, margins: .init(left: Canvas.leftMargin(axis)))
    canvas.verticalAxis(axis)
    canvas.text(
      "label middle", (canvas.left + canvas.right) / 2, canvas.height - 8, label)
    let room = (canvas.right - canvas.left) / Double(max(1, bars.count))
    let longest = Double(bars.map(\.name.unicodeScalars.count).max() ?? 1) * 6.8 + 6
    let every = max(1, Int((longest / room).rounded(.up)))
    for (place, bar) in bars.enumerated() {
      let x = canvas.left + room * Double(place)
      let y = canvas.y(axis.position(bar.value))
      canvas.add(
        "rect", "bar c1",
        [
          ("x", x + room * 0.08), ("y", y), ("width", room * 0.84),
          ("height", max(0, canvas.bottom - y)),
        ],
        title: "\(bar.name): \(grouped(Int(bar.value)))")
      if place % every == 0 {
        canvas.text("label middle", x + room / 2, canvas.bottom + 17, bar.name)
      }
    }
    canvas.line("axis", canvas.left, canvas.bottom, canvas.right, canvas.bottom)
    return canvas.svg(summary)
  }
}
