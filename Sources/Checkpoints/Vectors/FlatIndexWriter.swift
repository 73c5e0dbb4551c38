import Foundation

/// How an index compares vectors.
public enum VectorMetric: String, Sendable, CaseIterable {
  /// The inner product; larger is nearer.
  case ip
  /// The squared Euclidean distance; smaller is nearer.
  case l2
}

/// Writes a flat index that `faiss.read_index` reads; row n has the number n, its id stands in
/// `NAME.ids.txt`.
///
/// Format (faiss/impl/index_write.cpp): `IxFI` or `IxF2`; width (Int32), rows (Int64), twice 2^20
/// (Int64), trained (UInt8), metric (Int32: 0 inner product, 1 L2); then the number of Floats (UInt64)
/// and the Floats, all little-endian.
struct FlatIndexWriter: VectorWriter {
  private let file: PendingFile
  private let width: Int
  private let metric: VectorMetric
  private var ids: VectorIDFile?
  private var rowCount = 0

  init(_ url: URL, width: Int, metric: VectorMetric, hasIDs: Bool) throws {
    self.width = width
    self.metric = metric
    file = try PendingFile(url)
    if hasIDs { ids = try VectorIDFile(besides: url) }
    try file.append(header())
  }

  mutating func append(_ rows: UnsafeBufferPointer<Float>, ids names: [String]) throws {
    precondition(rows.count == names.count * width, "\(rows.count) values for \(names.count) rows")
    try VectorValues.checkFinite(rows, width: width, ids: names)
    try file.append(UnsafeRawBufferPointer(rows))
    try ids?.append(names)
    rowCount += names.count
  }

  mutating func finish() throws {
    try file.overwrite(at: 0, with: header())
    try ids?.commit()
    try file.commit()
  }

  private func header() -> [UInt8] {
    var bytes = Array((metric == .ip ? "IxFI" : "IxF2").utf8)
    func add(_ value: some FixedWidthInteger) {
      withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
    add(Int32(width))
    add(Int64(rowCount))
    add(Int64(1 << 20))
    add(Int64(1 << 20))
    add(UInt8(1))
    add(Int32(metric == .ip ? 0 : 1))
    add(UInt64(rowCount * width))
    return bytes
  }
}
