/// Where one field lies in the reader's buffer.
struct FieldRange {
  var start: Int
  var end: Int
  var quoted: Bool
  var hasDoubledQuotes: Bool
}

/// Finds the fields of one row without changing the bytes.
///
/// A class that owns its memory: an array in a struct costs more a field than the scan itself.
final class RowScanner {
  enum Outcome {
    /// A row was found; its fields are in `fields`.
    case row
    /// The row goes on behind the bytes at hand.
    case incomplete
    /// The row breaks the format's rules.
    case malformed(String)
  }

  let format: DelimitedFormat
  /// The fields of the last row.
  private(set) var fields: UnsafeMutablePointer<FieldRange>
  /// How many fields the last row had.
  private(set) var fieldCount = 0
  private var capacity = 64
  /// The position behind the last row.
  private(set) var end = 0
  /// How many line ends the last row held, its own included.
  private(set) var lineEnds = 0
  /// Whether the last row had a byte above 127.
  private(set) var hasHighBytes = false
  /// Whether a field of the last row had doubled quotes.
  private(set) var hasDoubledQuotes = false

  init(format: DelimitedFormat) {
    self.format = format
    fields = .allocate(capacity: capacity)
  }

  deinit { fields.deallocate() }

  /// Scans the row that begins at `start` and ends before `limit`; `atEnd` says that nothing follows.
  func scan(
    _ base: UnsafePointer<UInt8>, from start: Int, to limit: Int, atEnd: Bool
  ) -> Outcome {
    var count = 0
    lineEnds = 0
    hasDoubledQuotes = false
    let delimiter = format.delimiter
    var position = start
    var high: UInt8 = 0
    while true {
      var field = FieldRange(start: position, end: position, quoted: false, hasDoubledQuotes: false)
      if position < limit && base[position] == 0x22 {
        switch quoted(base, &field, limit: limit, atEnd: atEnd) {
        case .row: high |= 0x80
        case .incomplete: return .incomplete
        case .malformed(let why): return .malformed(why)
        }
      }
      position = field.end + (field.quoted ? 1 : 0)
      if !field.quoted {
        position = unquotedEnd(base, of: field, limit, delimiter, &high)
        field.end = position
      }
      if count == capacity { grow() }
      fields[count] = field
      count += 1
      if position == limit {
        guard atEnd else { return .incomplete }
        end = position
        break
      }
      if base[position] == delimiter {
        position += 1
        continue
      }
      if base[position] == 0x0D {
        if position + 1 == limit && !atEnd { return .incomplete }
        if position + 1 < limit && base[position + 1] == 0x0A { position += 1 }
      }
      lineEnds += 1
      end = position + 1
      break
    }
    fieldCount = count
    hasHighBytes = high >= 0x80
    return .row
  }

  private func grow() {
    let larger = UnsafeMutablePointer<FieldRange>.allocate(capacity: capacity * 2)
    larger.update(from: fields, count: capacity)
    fields.deallocate()
    fields = larger
    capacity *= 2
  }

  /// The end of an unquoted field: the next delimiter, line end or `limit`.
  @inline(__always)
  private func unquotedEnd(
    _ base: UnsafePointer<UInt8>, of field: FieldRange, _ limit: Int, _ delimiter: UInt8,
    _ high: inout UInt8
  ) -> Int {
    var position = field.start
    while position < limit {
      let byte = base[position]
      if byte <= 0x2C && (byte == delimiter || byte == 0x0A || byte == 0x0D) { break }
      high |= byte
      position += 1
    }
    return position
  }

  /// Tries to read a quoted field; `.row` says it is complete or, for tabs, not a quoted one.
  private func quoted(
    _ base: UnsafePointer<UInt8>, _ field: inout FieldRange, limit: Int, atEnd: Bool
  ) -> Outcome {
    let linesBefore = lineEnds
    var position = field.start + 1
    var doubled = false
    while true {
      while position < limit && base[position] != 0x22 {
        if base[position] == 0x0A {
          // Tabs: the quote was an ordinary character.
          if format == .tsv { return .row }
          lineEnds += 1
        }
        position += 1
      }
      if position == limit {
        if !atEnd { return .incomplete }
        if format == .tsv { return .row }
        return .malformed("a quoted field is never closed")
      }
      if position + 1 == limit && !atEnd { return .incomplete }
      let next = position + 1 < limit ? base[position + 1] : 0x0A
      if next == 0x22 {
        doubled = true
        hasDoubledQuotes = true
        position += 2
      } else if next == format.delimiter || next == 0x0A || next == 0x0D {
        field = FieldRange(
          start: field.start + 1, end: position, quoted: true, hasDoubledQuotes: doubled)
        return .row
      } else if format == .tsv {
        return .row
      } else {
        lineEnds = linesBefore
        return .malformed("text stands behind a closing quote")
      }
    }
  }
}
