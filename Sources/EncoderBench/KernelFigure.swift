/// One line of ``KernelsCommand``: what a kernel reaches, and what share that is of what it could.
struct KernelFigure {
  let name: String
  let value: Double
  let unit: String
  /// Shares of what the same run measured, each with the name of that.
  var shares: [(of: String, share: Double)] = []
  var decimals = 1

  var line: String {
    let gap = String(repeating: " ", count: max(1, 42 - name.count))
    let figure = "\(name)\(gap)\(fixed(value, decimals)) \(unit)"
    return shares.reduce(figure) { "\($0), \(Int((100 * $1.share).rounded()))% of \($1.of)" }
  }
}
