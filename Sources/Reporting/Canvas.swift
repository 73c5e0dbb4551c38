/// A drawing under way: the room inside its margins, and the SVG elements so far.
struct Canvas {
  /// Space around the plot, for labels.
  struct Margins {
    var left: Double
    var right = 14.0
    var top = 12.0
    var bottom = 46.0
  }

  let width: Double
  let height: Double
  let margins: Margins
  private(set) var elements = ""

  init(width: Double, height: Double, margins: Margins) {
    self.width = width
    self.height = height
    self.margins = margins
  }

  var left: Double { margins.left }
  var right: Double { width - margins.right }
  var top: Double { margins.top }
  var bottom: Double { height - margins.bottom }

  func x(_ share: Double) -> Double { left + share * (right - left) }
  func y(_ share: Double) -> Double { bottom - share * (bottom - top) }

  /// The whole drawing; `name` says to those who can't see it what it shows.
  func svg(_ name: String) -> String {
    "<svg viewBox=\"0 0 \(coordinate(width)) \(coordinate(height))\" role=\"img\""
      + attribute("aria-label", name) + ">\(elements)</svg>"
  }

  /// Adds an element; `title` is what pointing at it shows.
  mutating func add(
    _ tag: String, _ style: String, _ attributes: [(String, Double)], title: String? = nil
  ) {
    elements += "<\(tag) class=\"\(style)\""
    for (name, value) in attributes { elements += " \(name)=\"\(coordinate(value))\"" }
    elements += title.map { "><title>\(escapedMarkup($0))</title></\(tag)>" } ?? "/>"
  }

  mutating func line(_ style: String, _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) {
    add("line", style, [("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2)])
  }

  mutating func circle(
    _ style: String, _ x: Double, _ y: Double, radius: Double, title: String? = nil
  ) {
    add("circle", style, [("cx", x), ("cy", y), ("r", radius)], title: title)
  }

  mutating func path(_ style: String, _ points: [(x: Double, y: Double)]) {
    guard !points.isEmpty else { return }
    let data = points.enumerated().map { index, point in
      "\(index == 0 ? "M" : "L")\(coordinate(point.x)) \(coordinate(point.y))"
    }
    elements += "<path class=\"\(style)\" d=\"\(data.joined())\"/>"
  }

  mutating func text(_ style: String, _ x: Double, _ y: Double, _ text: String) {
    elements +=
      "<text class=\"\(style)\" x=\"\(coordinate(x))\" y=\"\(coordinate(y))\">"
      + escapedMarkup(text) + "</text>"
  }

  // MARK: Axes

  /// Ticks, their names and the label below the plot; `grid` draws a line at each tick.
  mutating func horizontalAxis(_ axis: Axis, grid: Bool = false) {
    var lastEnd = -Double.infinity
    for tick in axis.ticks {
      let place = x(axis.position(tick))
      if grid { line("grid", place, top, place, bottom) }
      line("tick", place, bottom, place, bottom + 4)
      let name = axis.name(tick)
      let half = Double(name.unicodeScalars.count) * 3.4
      // On a narrow drawing a name that would touch the one before it is left out.
      guard place - half > lastEnd + 4 else { continue }
      text("label middle", min(place, width - half), bottom + 17, name)
      lastEnd = place + half
    }
    line("axis", left, bottom, right, bottom)
    text("label middle", (left + right) / 2, height - 8, axis.label)
  }

  /// Grid lines, their names and the label, which stands upright beside them.
  mutating func verticalAxis(_ axis: Axis) {
    for tick in axis.ticks {
      let place = y(axis.position(tick))
      line("grid", left, place, right, place)
      text("label end", left - 7, place + 4, axis.name(tick))
    }
    let middle = (top + bottom) / 2
    elements +=
      "<text class=\"label middle\" transform=\"translate(13 \(coordinate(middle))) rotate(-90)\">"
      + "\(escapedMarkup(axis.label))</text>"
  }

  /// The margin on the left that an axis' names need.
  static func leftMargin(_ axis: Axis) -> Double {
    34 + 6.6 * Double(axis.ticks.map { axis.name($0).unicodeScalars.count }.max() ?? 1)
  }
}
