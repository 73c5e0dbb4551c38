import ArgumentParser
import Foundation

/// How the cost grows with the work, beside what the algorithm says.
struct ScalingCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scaling",
    abstract: "Fits the exponents of cost against work, and prints them as a Markdown table.")

  @Option(help: "Threads; by default one a core.") var threads: Int?

  func run() throws {
    print("| what grows | sizes | seconds | exponent | of the algorithm |")
    print("|---|---|---|---|---|")
    for series in ScalingSeries.all(threads: threads) {
      let seconds = try series.sizes.map { size in
        let task = try series.task(size)
        // The first run touches the memory.
        _ = try task.measure()
        return try (0..<3).map { _ in try task.measure().seconds }.min() ?? 0
      }
      let exponent = ScalingCommand.exponent(series.sizes.map(Double.init), seconds)
      let listed = seconds.map { fixed($0, $0 < 0.1 ? 4 : 2) }.joined(separator: ", ")
      let sizes = series.sizes.map(String.init).joined(separator: ", ")
      print(
        "| \(series.name) | \(sizes) | \(listed) | \(fixed(exponent, 2)) | \(series.expected) |")
    }
  }

  /// The slope of log(seconds) over log(size), by least squares.
  static func exponent(_ sizes: [Double], _ seconds: [Double]) -> Double {
    let (x, y) = (sizes.map { Foundation.log($0) }, seconds.map { Foundation.log($0) })
    let (mx, my) = (x.reduce(0, +) / Double(x.count), y.reduce(0, +) / Double(y.count))
    let covariance = zip(x, y).reduce(0) { $0 + ($1.0 - mx) * ($1.1 - my) }
    return covariance / x.reduce(0) { $0 + ($1 - mx) * ($1 - mx) }
  }
}
