/// Writes rows of comma-separated values as Python's `csv.writer` with `lineterminator="\n"` does.
///
/// A field is quoted when it holds a comma, a quote or a line end (RFC 4180), or when it is the only
/// field of its row and empty.
public struct CSVWriter {
  private let file: FileWriter
  private var row: [UInt8] = []
  private var fieldCount = 0

  /// Creates a writer that appends to `file`.
  public init(_ file: FileWriter) {
    self.file = file
  }

  /// Appends one field to the current row.
  public mutating func append(_ field: String) {
    var field = field
    field.withUTF8 { append($0) }
  }

  /// Appends one field, given as UTF-8 bytes, to the current row.
  public mutating func append(_ field: UnsafeBufferPointer<UInt8>) {
    if fieldCount > 0 { row.append(UInt8(ascii: ",")) }
    fieldCount += 1
    CSVWriter.quote(field, into: &row)
  }

  /// Appends a whole number as a field.
  public mutating func append(_ number: Int) {
    if fieldCount > 0 { row.append(UInt8(ascii: ",")) }
    fieldCount += 1
    if number < 0 { row.append(UInt8(ascii: "-")) }
    let start = row.count
    var rest = number.magnitude
    repeat {
      row.append(UInt8(ascii: "0") + UInt8(rest % 10))
      rest /= 10
    } while rest > 0
    row[start...].reverse()
  }

  /// Ends the current row.
  public mutating func endRow() throws {
    if fieldCount == 1 && row.isEmpty { row.append(contentsOf: [0x22, 0x22]) }
    row.append(UInt8(ascii: "\n"))
    try file.write(row)
    row.removeAll(keepingCapacity: true)
    fieldCount = 0
  }

  /// Writes a whole row.
  public mutating func writeRow(_ fields: [String]) throws {
    for field in fields { append(field) }
    try endRow()
  }

  private static func quote(_ field: UnsafeBufferPointer<UInt8>, into row: inout [UInt8]) {
    var special = false
    for byte in field where byte <= 0x2C {
      if byte == 0x2C || byte == 0x22 || byte == 0x0A || byte == 0x0D { special = true }
    }
    guard special else {
      row.append(contentsOf: field)
      return
    }
    row.append(0x22)
    for byte in field {
      if byte == 0x22 { row.append(0x22) }
      row.append(byte)
    }
    row.append(0x22)
  }
}
