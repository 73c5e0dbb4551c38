import Foundation

/// Writes `.npy`, `.safetensors` and `.fvecs`.
///
/// How many rows there will be isn't known while they stream in: the first two formats get a header of
/// fixed length, which is filled in at the end.
struct BinaryVectorWriter: VectorWriter {
  private let format: VectorFormat
  private let width: Int
  private let file: PendingFile
  private var ids: VectorIDFile?
  private var rowCount = 0
  private static let npyHeaderLength = 128
  private static let safetensorsHeaderLength = 248

  init(_ url: URL, format: VectorFormat, width: Int, hasIDs: Bool) throws {
    self.format = format
    self.width = width
    file = try PendingFile(url)
    if hasIDs { ids = try VectorIDFile(besides: url) }
    try file.append(header())
  }

  mutating func append(_ rows: UnsafeBufferPointer<Float>, ids names: [String]) throws {
    precondition(rows.count == names.count * width, "\(rows.count) values for \(names.count) rows")
    try VectorValues.checkFinite(rows, width: width, ids: names)
    if format == .fvecs {
      var bytes: [UInt8] = []
      for row in 0..<names.count {
        withUnsafeBytes(of: Int32(width).littleEndian) { bytes.append(contentsOf: $0) }
        let values = UnsafeBufferPointer(rebasing: rows[row * width..<(row + 1) * width])
        bytes.append(contentsOf: UnsafeRawBufferPointer(values))
      }
      try file.append(bytes)
    } else {
      try file.append(UnsafeRawBufferPointer(rows))
    }
    try ids?.append(names)
    rowCount += names.count
  }

  mutating func finish() throws {
    let header = header()
    if !header.isEmpty { try file.overwrite(at: 0, with: header) }
    try ids?.commit()
    try file.commit()
  }

  private func header() -> [UInt8] {
    switch format {
    case .npy:
      var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
      let length = UInt16(BinaryVectorWriter.npyHeaderLength - bytes.count - 2)
      withUnsafeBytes(of: length.littleEndian) { bytes.append(contentsOf: $0) }
      bytes += Array(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (\(rowCount), \(width)), }".utf8)
      bytes += Array(
        repeating: 0x20, count: BinaryVectorWriter.npyHeaderLength - bytes.count - 1)
      return bytes + [0x0A]
    case .safetensors:
      let header = SafeTensorsWriter.header(
        [.init("embeddings", shape: [rowCount, width])], ends: [rowCount * width * 4],
        metadata: [], reserve: BinaryVectorWriter.safetensorsHeaderLength)
      return withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) } + header
    case .jsonl, .csv, .fvecs, .faiss, .pgcopy, .pgbin: return []
    }
  }
}

/// What all vector formats ask of the values.
enum VectorValues {
  /// A vector that isn't finite helps no reader, and JSON can't even hold it.
  static func checkFinite(
    _ rows: UnsafeBufferPointer<Float>, width: Int, ids: [String]
  ) throws {
    guard let place = rows.firstIndex(where: { !$0.isFinite }) else { return }
    throw CheckpointError(
      "the vector holds a value that isn't finite", path: "vectors",
      item: "id \(ids[place / max(width, 1)])", advice: "check the model's weights")
  }
}
