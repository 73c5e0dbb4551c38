/// Writes one JSON object a line: `{"id":"...","embedding":[...]}`.
///
/// A value has the fewest digits from which the same Float can be read back.
public struct JSONLinesVectorWriter: VectorWriter {
  private let output: any ByteOutput
  private let width: Int
  private var bytes: [UInt8] = []

  /// Creates a writer for vectors of `width` values.
  public init(_ output: any ByteOutput, width: Int) {
    self.output = output
    self.width = width
  }

  /// Appends rows; see ``VectorWriter``.
  public mutating func append(_ rows: UnsafeBufferPointer<Float>, ids: [String]) throws {
    precondition(rows.count == ids.count * width, "\(rows.count) values for \(ids.count) rows")
    try VectorValues.checkFinite(rows, width: width, ids: ids)
    bytes.removeAll(keepingCapacity: true)
    for (row, id) in ids.enumerated() {
      bytes.append(contentsOf: "{\"id\":".utf8)
      bytes.append(contentsOf: JSONText.quoted(id).utf8)
      bytes.append(contentsOf: ",\"embedding\":[".utf8)
      for column in 0..<width {
        if column > 0 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(contentsOf: rows[row * width + column].description.utf8)
      }
      bytes.append(contentsOf: "]}\n".utf8)
    }
    try output.append(bytes)
  }

  /// Makes the output final.
  public mutating func finish() throws { try output.commit() }
}

/// Writes a CSV file with the header `id,0,1,...`; ids are quoted where RFC 4180 asks for it.
struct CSVVectorWriter: VectorWriter {
  private let output: any ByteOutput
  private let width: Int
  private var bytes: [UInt8] = []

  init(_ output: any ByteOutput, width: Int) throws {
    self.output = output
    self.width = width
    let columns = (0..<width).map { ",\($0)" }.joined()
    try output.append(Array("id\(columns)\n".utf8))
  }

  mutating func append(_ rows: UnsafeBufferPointer<Float>, ids: [String]) throws {
    precondition(rows.count == ids.count * width, "\(rows.count) values for \(ids.count) rows")
    try VectorValues.checkFinite(rows, width: width, ids: ids)
    bytes.removeAll(keepingCapacity: true)
    for (row, id) in ids.enumerated() {
      appendField(id)
      for column in 0..<width {
        bytes.append(UInt8(ascii: ","))
        bytes.append(contentsOf: rows[row * width + column].description.utf8)
      }
      bytes.append(UInt8(ascii: "\n"))
    }
    try output.append(bytes)
  }

  private mutating func appendField(_ text: String) {
    guard text.utf8.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) else {
      bytes.append(contentsOf: text.utf8)
      return
    }
    bytes.append(0x22)
    for byte in text.utf8 {
      if byte == 0x22 { bytes.append(0x22) }
      bytes.append(byte)
    }
    bytes.append(0x22)
  }

  mutating func finish() throws { try output.commit() }
}
