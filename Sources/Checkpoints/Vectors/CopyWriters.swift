import Foundation

/// Writes what PostgreSQL's `COPY items (id, embedding) FROM STDIN` reads into a text and a pgvector
/// `vector` column: id, tab, `[1,2,3]`.
struct CopyTextWriter: VectorWriter {
  private let output: PendingFile
  private let width: Int
  private var bytes: [UInt8] = []

  init(_ url: URL, width: Int) throws {
    try CopyLimits.check(width: width, path: url.path)
    output = try PendingFile(url)
    self.width = width
  }

  mutating func append(_ rows: UnsafeBufferPointer<Float>, ids: [String]) throws {
    precondition(rows.count == ids.count * width, "\(rows.count) values for \(ids.count) rows")
    try VectorValues.checkFinite(rows, width: width, ids: ids)
    bytes.removeAll(keepingCapacity: true)
    for (row, id) in ids.enumerated() {
      try CopyLimits.check(id: id)
      for byte in id.utf8 { appendEscaped(byte) }
      bytes.append(contentsOf: "\t[".utf8)
      for column in 0..<width {
        if column > 0 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(contentsOf: rows[row * width + column].description.utf8)
      }
      bytes.append(contentsOf: "]\n".utf8)
    }
    try output.append(bytes)
  }

  /// The escapes of COPY's text format.
  private mutating func appendEscaped(_ byte: UInt8) {
    let letter: Unicode.Scalar? =
      switch byte {
      case UInt8(ascii: "\\"): "\\"
      case 0x08: "b"
      case 0x09: "t"
      case 0x0A: "n"
      case 0x0B: "v"
      case 0x0C: "f"
      case 0x0D: "r"
      default: nil
      }
    if let letter {
      bytes.append(UInt8(ascii: "\\"))
      bytes.append(UInt8(ascii: letter))
    } else {
      bytes.append(byte)
    }
  }

  mutating func finish() throws { try output.commit() }
}

/// Writes what `COPY items (id, embedding) FROM STDIN WITH (FORMAT BINARY)` reads into a text and a
/// pgvector `vector` column.
///
/// Format: PostgreSQL's documentation of COPY; pgvector's `vector_recv` takes the width and a 0 as
/// Int16 and the Floats, all big-endian.
struct CopyBinaryWriter: VectorWriter {
  private let output: PendingFile
  private let width: Int
  private var bytes: [UInt8] = []

  init(_ url: URL, width: Int) throws {
    try CopyLimits.check(width: width, path: url.path)
    output = try PendingFile(url)
    self.width = width
    // The signature, then flags and the length of the header's extension, both 0.
    try output.append(
      Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0] + Array(repeating: 0, count: 8))
  }

  mutating func append(_ rows: UnsafeBufferPointer<Float>, ids: [String]) throws {
    precondition(rows.count == ids.count * width, "\(rows.count) values for \(ids.count) rows")
    try VectorValues.checkFinite(rows, width: width, ids: ids)
    bytes.removeAll(keepingCapacity: true)
    for (row, id) in ids.enumerated() {
      try CopyLimits.check(id: id)
      add(Int16(2))
      add(Int32(id.utf8.count))
      bytes.append(contentsOf: id.utf8)
      add(Int32(4 + 4 * width))
      add(Int16(width))
      add(Int16(0))
      for column in 0..<width { add(rows[row * width + column].bitPattern) }
    }
    try output.append(bytes)
  }

  private mutating func add(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func finish() throws {
    try output.append([0xFF, 0xFF])
    try output.commit()
  }
}

/// What PostgreSQL and pgvector take.
private enum CopyLimits {
  static func check(width: Int, path: String) throws {
    guard width <= 16_000 else {
      throw CheckpointError(
        "pgvector takes vectors of up to 16000 values, these have \(width)", path: path,
        advice: "write another format")
    }
  }

  static func check(id: String) throws {
    guard !id.utf8.contains(0), id.utf8.count < 1 << 30 else {
      throw CheckpointError(
        "PostgreSQL has no text like this id", path: "vectors", item: id,
        advice: "take NUL characters out of the ids")
    }
  }
}
