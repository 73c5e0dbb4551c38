import Checkpoints
import Foundation
import Testing

/// The layouts of faiss and PostgreSQL, byte by byte.
@Suite("Vectors for indexes and databases")
struct VectorDatabaseTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(
    _ name: String, ids: [String], metric: VectorMetric = .ip
  ) throws -> [UInt8] {
    let url = folder.file(name)
    var writer = try VectorFormat(url).writer(
      to: url, width: 2, hasIDs: true, metric: metric)
    for (row, id) in ids.enumerated() {
      try [Float(row) + 1, -0.5].withUnsafeBufferPointer { try writer.append($0, ids: [id]) }
    }
    try writer.finish()
    return try [UInt8](Data(contentsOf: url))
  }

  @Test(arguments: [(VectorMetric.ip, "IxFI", UInt8(0)), (.l2, "IxF2", 1)])
  func flatIndex(metric: VectorMetric, mark: String, number: UInt8) throws {
    let bytes = try write("x.faiss", ids: ["a", "b"], metric: metric)
    let million: [UInt8] = [0, 0, 0x10, 0, 0, 0, 0, 0]
    var expected = Array(mark.utf8) + [2, 0, 0, 0] + [2, 0, 0, 0, 0, 0, 0, 0] + million + million
    expected += [1] + [number, 0, 0, 0] + [4, 0, 0, 0, 0, 0, 0, 0]
    expected += [0, 0, 0x80, 0x3F, 0, 0, 0, 0xBF, 0, 0, 0, 0x40, 0, 0, 0, 0xBF]
    #expect(bytes == expected)
    #expect(try String(contentsOf: folder.file("x.ids.txt"), encoding: .utf8) == "a\nb\n")
  }

  @Test func copyText() throws {
    let bytes = try write("x.pgcopy", ids: ["a\tb\\c", "\u{E9}\n"])
    #expect(
      String(decoding: bytes, as: UTF8.self)
        == "a\\tb\\\\c\t[1.0,-0.5]\n\u{E9}\\n\t[2.0,-0.5]\n")
  }

  @Test func copyBinary() throws {
    let bytes = try write("x.pgbin", ids: ["ab"])
    var expected = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00]
    expected += [UInt8](repeating: 0, count: 8)
    expected += [0, 2, 0, 0, 0, 2] + Array("ab".utf8)
    expected += [0, 0, 0, 12, 0, 2, 0, 0, 0x3F, 0x80, 0, 0, 0xBF, 0, 0, 0, 0xFF, 0xFF]
    #expect(bytes == expected)
    #expect(throws: CheckpointError.self) { try write("y.pgbin", ids: ["a\0b"]) }
    #expect(throws: CheckpointError.self) {
      try VectorFormat.pgbin.writer(to: folder.file("z.pgbin"), width: 16_001, hasIDs: false)
    }
  }

  @Test("Vectors are read back with their ids, and other counts are refused")
  func withIDs() throws {
    _ = try write("x.npy", ids: ["a", "b"])
    let (table, ids) = try VectorTable.readWithIDs(folder.file("x.npy"))
    #expect(ids == ["a", "b"] && table.values == [1, -0.5, 2, -0.5])
    try Data("a\n".utf8).write(to: folder.file("x.ids.txt"))
    #expect(throws: CheckpointError.self) { try VectorTable.readWithIDs(folder.file("x.npy")) }
    try Data([0x61, 0x0A, 0xFF, 0x0A]).write(to: folder.file("x.ids.txt"))
    #expect(throws: CheckpointError.self) { try VectorTable.readWithIDs(folder.file("x.npy")) }
    try FileManager.default.removeItem(at: folder.file("x.ids.txt"))
    #expect(throws: CheckpointError.self) { try VectorTable.readWithIDs(folder.file("x.npy")) }
  }
}
