/// A plot that draws itself at a width, so that a phone gets a drawing of its own and not a shrunk one.
public protocol Chart: Sendable {
  /// What the plot shows, for those who can't see it.
  var summary: String { get }
  /// The names of the colours, in the order of their numbers; empty for none.
  var legend: [LegendEntry] { get }
  /// The plot as an SVG element of this width.
  func svg(width: Double) -> String
}

/// One line of a legend.
public struct LegendEntry: Sendable, Equatable {
  /// What is drawn so.
  public let name: String
  /// The number of its colour and shape, from 0.
  public let number: Int

  /// Creates a line.
  public init(_ name: String, _ number: Int) {
    self.name = name
    self.number = number
  }
}

/// The class of a colour: there are eight, then they begin again.
func colour(_ number: Int) -> String { "c\(number % 8 + 1)" }
