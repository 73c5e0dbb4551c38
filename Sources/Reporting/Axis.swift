import Foundation

/// One axis of a chart: the values it spans, where its ticks are, and what they are called.
public struct Axis: Sendable {
  /// How values lie along the axis.
  public enum Scale: Sendable {
    /// Evenly.
    case linear
    /// By their logarithm; only positive values have a place.
    case logarithmic
  }

  /// What is measured, with its unit.
  public let label: String
  /// How values lie along it.
  public let scale: Scale
  let low: Double
  let high: Double
  let ticks: [Double]

  /// Where a linear axis ends.
  public enum Ends: Sendable {
    /// On round numbers.
    case round
    /// At the least and the largest value, with this share of the space between them around.
    case data(margin: Double)
  }

  /// An axis that holds all finite `values`.
  ///
  /// - Parameters:
  ///   - includesZero: whether the axis begins at 0; not for logarithms.
  ///   - ends: where a linear axis ends.
  ///   - tickCount: about how many ticks there are; whole values get whole ticks.
  public init(
    _ label: String, values: [Double], scale: Scale = .linear, includesZero: Bool = false,
    ends: Ends = .round, tickCount: Int = 5
  ) {
    let usable = values.filter { $0.isFinite && (scale == .linear || $0 > 0) }
    var (low, high) = (usable.min() ?? 0, usable.max() ?? 1)
    self.label = label
    self.scale = scale
    switch scale {
    case .linear:
      if includesZero { (low, high) = (min(0, low), max(0, high)) }
      if high - low <= abs(high) * 1e-9 {
        let margin = max(abs(high) * 0.1, 1e-6)
        (low, high) = (includesZero && low >= 0 ? 0 : low - margin, high + margin)
      }
      let isWhole = !usable.isEmpty && usable.allSatisfy { $0 == $0.rounded() }
      let step = max(
        Axis.roundStep((high - low) / Double(max(1, tickCount))), isWhole ? 1 : 0)
      // What rounding has put beside a tick is on it.
      var (first, last) = (
        (low / step + 1e-9).rounded(.down), (high / step - 1e-9).rounded(.up)
      )
      switch ends {
      case .round: (self.low, self.high) = (first * step, last * step)
      case .data(let margin):
        let space = margin * (high - low)
        (self.low, self.high) = (low - space, high + space)
        (first, last) = (
          (self.low / step - 1e-9).rounded(.up), (self.high / step + 1e-9).rounded(.down)
        )
      }
      ticks = (0...max(0, Int(last - first))).map { (first + Double($0)) * step }
    case .logarithmic:
      if usable.isEmpty { (low, high) = (0.1, 1) }
      let (first, last) = (log10(low).rounded(.down), log10(high).rounded(.up))
      let end = max(first + 1, last)
      (self.low, self.high) = (pow(10, first), pow(10, end))
      let every = max(1, Int(((end - first) / Double(max(1, tickCount))).rounded(.up)))
      ticks = stride(from: Int(first), through: Int(end), by: every).map { pow(10, Double($0)) }
    }
  }

  /// The share of the axis below a value: 0 at its beginning, 1 at its end.
  func position(_ value: Double) -> Double {
    switch scale {
    case .linear: (value - low) / (high - low)
    case .logarithmic: (log(max(value, 1e-300)) - log(low)) / (log(high) - log(low))
    }
  }

  /// 1, 2 or 5 times a power of ten, at least `step`.
  static func roundStep(_ step: Double) -> Double {
    guard step > 0, step.isFinite else { return 1 }
    let power = pow(10, log10(step).rounded(.down))
    let factor = step / power
    return power * (factor <= 1.000001 ? 1 : factor <= 2.000001 ? 2 : factor <= 5.000001 ? 5 : 10)
  }

  /// What a tick is called: as few digits as tell the ticks apart.
  func name(_ tick: Double) -> String {
    if tick == 0 || abs(tick) < (high - low) * 1e-9, scale == .linear { return "0" }
    let size = abs(tick)
    switch scale {
    case .logarithmic:
      let power = Int(log10(size).rounded())
      if power > 5 || power < -3 { return "10" + Axis.superscript(power) }
      return power >= 0 ? grouped(Int(tick)) : decimals(tick, -power)
    case .linear:
      let step = ticks.count > 1 ? ticks[1] - ticks[0] : size
      if max(abs(low), abs(high)) < 1e-3 { return Axis.scientific(tick) }
      if step >= 1e6 { return decimals(tick / 1e6, 0) + "M" }
      if step >= 1e5 { return decimals(tick / 1e6, 1) + "M" }
      if step >= 1 { return size < 1e15 ? grouped(Int(tick.rounded())) : Axis.scientific(tick) }
      return decimals(tick, min(9, Int((-log10(step) - 1e-9).rounded(.up))))
    }
  }

  private static func scientific(_ value: Double) -> String {
    let power = Int(log10(abs(value)).rounded(.down))
    let factor = value / pow(10, Double(power))
    let isWhole = abs(factor - factor.rounded()) < 1e-6
    return decimals(factor, isWhole ? 0 : 1) + "\u{00B7}10" + superscript(power)
  }

  private static func superscript(_ value: Int) -> String {
    let digits = Array(
      "\u{2070}\u{00B9}\u{00B2}\u{00B3}\u{2074}\u{2075}\u{2076}\u{2077}\u{2078}\u{2079}")
    return (value < 0 ? "\u{207B}" : "")
      + String(String(value.magnitude).compactMap { $0.wholeNumberValue.map { digits[$0] } })
  }
}
