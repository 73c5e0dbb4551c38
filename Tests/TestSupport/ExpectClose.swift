public import Testing

/// Expects two numbers to agree within `absolute + relative * |expected|`; NaN never agrees.
public func expectClose<T: BinaryFloatingPoint>(
  _ actual: T, _ expected: T, absolute: T = 0, relative: T = 0, _ label: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let bound = absolute + relative * abs(expected)
  #expect(
    abs(actual - expected) <= bound, "\(label): \(actual) against \(expected), bound \(bound)",
    sourceLocation: sourceLocation)
}

/// Expects two arrays to agree element by element; names the worst place when they don't.
public func expectClose<T: BinaryFloatingPoint>(
  _ actual: [T], _ expected: [T], absolute: T = 0, relative: T = 0, _ label: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard actual.count == expected.count else {
    Issue.record(
      "\(label): \(actual.count) elements against \(expected.count)", sourceLocation: sourceLocation
    )
    return
  }
  var worst = -1
  var excess: T = 0
  for i in actual.indices {
    let over = abs(actual[i] - expected[i]) - absolute - relative * abs(expected[i])
    if !(over <= excess) {
      (worst, excess) = (i, over)
      if over.isNaN { break }
    }
  }
  #expect(
    worst < 0,
    "\(label)[\(worst)]: \(actual[max(worst, 0)]) against \(expected[max(worst, 0)])",
    sourceLocation: sourceLocation)
}
