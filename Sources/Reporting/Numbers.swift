import Foundation

/// A number with so many decimals, or a dash for what has no value.
public func decimals(_ value: Double, _ count: Int) -> String {
  value.isFinite ? String(format: "%.\(count)f", value) : "\u{2013}"
}

/// A whole number with commas between groups of three digits.
public func grouped(_ value: Int) -> String {
  let digits = Array(String(value.magnitude))
  var result = value < 0 ? "-" : ""
  for (place, digit) in digits.enumerated() {
    if place > 0, (digits.count - place) % 3 == 0 { result.append(",") }
    result.append(digit)
  }
  return result
}

/// A share as a percentage with so many decimals.
public func percent(_ share: Double, _ count: Int = 1) -> String {
  share.isFinite ? decimals(100 * share, count) + "%" : "\u{2013}"
}

/// A coordinate of a drawing, to a tenth of a unit.
func coordinate(_ value: Double) -> String {
  let tenths = (value * 10).rounded()
  guard tenths.isFinite, abs(tenths) < 1e9 else { return "0" }
  let whole = Int(tenths)
  return whole % 10 == 0 ? "\(whole / 10)" : String(format: "%.1f", tenths / 10)
}
