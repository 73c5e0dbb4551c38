/// Reads a time as a number, or as an ISO 8601 date or date-time in seconds since 1970 (UTC).
///
/// `2011-12-09`, `2011-12-09 12:50`, `2011-12-09T12:50:00.5Z`, `2011-12-09T12:50:00+01:00`, and MIND's
/// `11/15/2019 8:55:22 AM` (month, day, year); a time without a zone counts as UTC. nil for anything
/// else.
package func parseTimestamp(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
  if let number = parseDouble(bytes) { return number }
  var cursor = DateCursor(bytes: bytes)
  if bytes.prefix(3).contains(UInt8(ascii: "/")) { return cursor.americanTime() }
  guard let year = cursor.number(4), cursor.skip("-"), let month = cursor.number(2),
    cursor.skip("-"), let day = cursor.number(2), (1...12).contains(month), (1...31).contains(day)
  else { return nil }
  var seconds = Double(daysSince1970(year: year, month: month, day: day)) * 86_400
  if cursor.isAtEnd { return seconds }
  guard cursor.skip("T") || cursor.skip(" ") || cursor.skip("t"), let hour = cursor.number(2),
    cursor.skip(":"), let minute = cursor.number(2), hour < 25, minute < 60
  else { return nil }
  seconds += Double(hour * 3600 + minute * 60)
  if cursor.skip(":") {
    guard let second = cursor.number(2), second < 61 else { return nil }
    seconds += Double(second) + (cursor.fraction() ?? 0)
  }
  guard let zone = cursor.zone(), cursor.isAtEnd else { return nil }
  return seconds - zone
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar (Hinnant, chrono-compatible algorithms).
private func daysSince1970(year: Int, month: Int, day: Int) -> Int {
  let y = month <= 2 ? year - 1 : year
  let era = (y >= 0 ? y : y - 399) / 400
  let yearOfEra = y - era * 400
  let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
  return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
}

private struct DateCursor {
  let bytes: UnsafeBufferPointer<UInt8>
  var place = 0

  var isAtEnd: Bool { place == bytes.count }

  mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard place < bytes.count, bytes[place] == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  mutating func number(_ digits: Int) -> Int? {
    guard place + digits <= bytes.count else { return nil }
    var value = 0
    for byte in bytes[place..<place + digits] {
      guard byte >= 0x30 && byte <= 0x39 else { return nil }
      value = value * 10 + Int(byte - 0x30)
    }
    place += digits
    return value
  }

  /// One or two digits.
  mutating func shortNumber() -> Int? {
    guard let first = number(1) else { return nil }
    return number(1).map { first * 10 + $0 } ?? first
  }

  /// `11/15/2019 8:55:22 AM` in seconds since 1970.
  mutating func americanTime() -> Double? {
    guard let month = shortNumber(), skip("/"), let day = shortNumber(), skip("/"),
      let year = number(4), (1...12).contains(month), (1...31).contains(day)
    else { return nil }
    let midnight = Double(daysSince1970(year: year, month: month, day: day)) * 86_400
    if isAtEnd { return midnight }
    guard skip(" "), let hour = shortNumber(), skip(":"), let minute = number(2), minute < 60
    else { return nil }
    var second = 0
    if skip(":") {
      guard let value = number(2), value < 61 else { return nil }
      second = value
    }
    guard let offset = halfOfDay(hour), isAtEnd else { return nil }
    return midnight + offset + Double(minute * 60 + second)
  }

  /// The seconds that an hour with ` AM`, ` PM` or neither behind it stands for.
  private mutating func halfOfDay(_ hour: Int) -> Double? {
    guard skip(" ") else { return hour < 24 ? Double(hour * 3600) : nil }
    let afternoon = skip("P")
    guard afternoon || skip("A"), skip("M"), (1...12).contains(hour) else { return nil }
    return Double((hour % 12 + (afternoon ? 12 : 0)) * 3600)
  }

  /// `.5` -> 0.5; nil, and nothing read, when there is no fraction.
  mutating func fraction() -> Double? {
    guard skip(".") || skip(",") else { return nil }
    var value = 0.0
    var scale = 0.1
    while let digit = number(1) {
      value += Double(digit) * scale
      scale /= 10
    }
    return value
  }

  /// The offset from UTC in seconds: `Z`, nothing, `+01:00`, `+0100`, `+01`.
  mutating func zone() -> Double? {
    if isAtEnd || skip("Z") || skip("z") { return 0 }
    let west = skip("-")
    guard west || skip("+"), let hours = number(2) else { return nil }
    _ = skip(":")
    let minutes = isAtEnd ? 0 : number(2)
    guard let minutes else { return nil }
    let offset = Double(hours * 3600 + minutes * 60)
    return west ? -offset : offset
  }
}
