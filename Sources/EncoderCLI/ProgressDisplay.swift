import Foundation

/// Shows how a long run goes: one redrawn line on a terminal, plain lines otherwise, JSON for machines.
final class ProgressDisplay {
  private let quiet: Bool
  private let json: Bool
  private var lastDraw = ContinuousClock.now - .seconds(10)
  private var lineIsOpen = false
  /// Where the first update stood: a resumed run doesn't begin at 0.
  private var origin: (time: ContinuousClock.Instant, fraction: Double)?

  init(quiet: Bool, json: Bool) {
    self.quiet = quiet
    self.json = json
  }

  /// Shows progress.
  ///
  /// `text` stands in the redrawn line; `isMilestone` marks what is worth a line of
  /// its own where no line can be redrawn.
  func update(fraction: Double, text: String, isMilestone: Bool, object: (() -> String)? = nil) {
    if origin == nil { origin = (ContinuousClock.now, fraction) }
    if json {
      if isMilestone, let object { StandardError.write(object()) }
      return
    }
    guard !quiet else { return }
    if StandardError.isTerminal {
      guard isMilestone || ContinuousClock.now - lastDraw > .milliseconds(200) else { return }
      lastDraw = ContinuousClock.now
      FileHandle.standardError.write(Data("\r\u{1B}[K\(bar(fraction)) \(text)".utf8))
      lineIsOpen = true
    } else if isMilestone {
      StandardError.write("\(percent(fraction)) \(text) \(remaining(fraction))")
    }
  }

  /// Writes a line that stays.
  func line(_ text: String) {
    guard !quiet, !json else { return }
    close()
    StandardError.write(text)
  }

  /// Ends the redrawn line.
  func close() {
    if lineIsOpen { FileHandle.standardError.write(Data("\n".utf8)) }
    lineIsOpen = false
  }

  private func percent(_ fraction: Double) -> String {
    String(format: "%5.1f%%", 100 * fraction)
  }

  private func bar(_ fraction: Double) -> String {
    let filled = Int(20 * fraction)
    return "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: 20 - filled)
      + "] \(percent(fraction)) \(remaining(fraction))"
  }

  private func remaining(_ fraction: Double) -> String {
    guard let origin, fraction > origin.fraction + 0.001 else { return "" }
    let elapsed = Double((ContinuousClock.now - origin.time).components.seconds)
    let left = elapsed * (1 - fraction) / (fraction - origin.fraction)
    return "ETA \(ProgressDisplay.clock(left))"
  }

  static func clock(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    return whole >= 3600
      ? String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
      : String(format: "%d:%02d", whole / 60, whole % 60)
  }
}
