import Checkpoints
import Foundation
import Testing
import Tokenization

@Suite("Vector files")
struct VectorFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private let values: [Float] = [1, -2.5, 1e-5, 0.1, 3e20, -0.0]
  private let ids = ["a,\"b\"", "é"]

  private func write(_ name: String, hasIDs: Bool = true) throws -> [UInt8] {
    let url = folder.file(name)
    var writer = try VectorFormat(url).writer(to: url, width: 3, hasIDs: hasIDs)
    for row in 0..<2 {
      try values[row * 3..<row * 3 + 3].withUnsafeBufferPointer {
        try writer.append($0, ids: [ids[row]])
      }
    }
    #expect(!FileManager.default.fileExists(atPath: url.path))
    try writer.finish()
    return try [UInt8](Data(contentsOf: url))
  }

  private var data: [UInt8] { values.withUnsafeBytes { Array($0) } }

  @Test(".npy has numpy's header of 128 bytes, ids stand beside it")
  func npy() throws {
    let bytes = try write("x.npy")
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
    header += String(repeating: " ", count: 117 - header.utf8.count) + "\n"
    let start: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0, 118, 0]
    #expect(Array(bytes[..<10]) == start)
    #expect(String(decoding: bytes[10..<128], as: UTF8.self) == header)
    #expect(Array(bytes[128...]) == data)
    let names = try String(contentsOf: folder.file("x.ids.txt"), encoding: .utf8)
    #expect(names == "a,\"b\"\né\n")
    let table = try VectorTable(contentsOf: folder.file("x.npy"))
    #expect(table == VectorTable(count: 2, width: 3, values: values))
  }

  @Test(".safetensors has one tensor")
  func safetensors() throws {
    _ = try write("x.safetensors", hasIDs: false)
    let file = try SafeTensorsFile(folder.file("x.safetensors"))
    #expect(file.tensors.map(\.name) == ["embeddings"])
    #expect(file["embeddings"]?.shape == [2, 3])
    let table = try VectorTable(contentsOf: folder.file("x.safetensors"))
    #expect(table == VectorTable(count: 2, width: 3, values: values))
    #expect(try folder.names() == ["x.safetensors"])
  }

  @Test(".fvecs has the width before each row")
  func fvecs() throws {
    let bytes = try write("x.fvecs")
    let width: [UInt8] = [3, 0, 0, 0]
    #expect(bytes == Array([width, Array(data[..<12]), width, Array(data[12...])].joined()))
    #expect(try folder.names() == ["x.fvecs", "x.ids.txt"])
  }

  @Test(".jsonl and .csv hold values that read back as the same Floats")
  func text() throws {
    let lines = try write("x.jsonl").split(separator: 0x0A).map { try JSONValue.parse(Array($0)) }
    #expect(lines.map { $0["id"] } == ids.map { .string($0) })
    let back = lines.flatMap { $0["embedding"]?.arrayValue ?? [] }.compactMap(\.doubleValue)
    #expect(back.map { Float($0) } == values)
    let table = String(decoding: try write("x.csv"), as: UTF8.self)
    #expect(
      table == "id,0,1,2\n\"a,\"\"b\"\"\",1.0,-2.5,1e-05\né,0.1,3e+20,-0.0\n")
    #expect(try folder.names() == ["x.csv", "x.jsonl"])
  }

  @Test("no rows give a valid file")
  func empty() throws {
    for name in ["x.npy", "x.safetensors"] {
      let url = folder.file(name)
      var writer = try VectorFormat(url).writer(to: url, width: 4, hasIDs: false)
      try writer.finish()
      #expect(try VectorTable(contentsOf: url) == VectorTable(count: 0, width: 4, values: []))
    }
  }

  @Test("other extensions, values that aren't finite and ids with line ends are refused")
  func refusals() throws {
    #expect(throws: CheckpointError.self) { try VectorFormat(folder.file("x.txt")) }
    for (name, value, id) in [
      ("x.npy", Float.nan, "a"), ("x.jsonl", .infinity, "a"),
      ("x.npy", 1, "a\nb"),
    ] {
      let url = folder.file(name)
      var writer = try VectorFormat(url).writer(to: url, width: 1, hasIDs: true)
      #expect(throws: CheckpointError.self) {
        try [value].withUnsafeBufferPointer { try writer.append($0, ids: [id]) }
      }
    }
    #expect(try folder.names() == [])
  }

  @Test(
    "a .npy file of another kind is refused",
    arguments: [
      ("<f4", "(2, 3)", "True", 24), ("<i8", "(2, 3)", "False", 48), ("<f4", "(6,)", "False", 24),
      ("<f4", "(2, 3)", "False", 20), ("<f4", "(-2, -3)", "False", 24),
      ("<f4", "(9223372036854775807, 2)", "False", 24),
    ])
  func otherArrays(type: String, shape: String, order: String, count: Int) throws {
    let header = "{'descr': '\(type)', 'fortran_order': \(order), 'shape': \(shape), }\n"
    var bytes: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0, UInt8(header.utf8.count), 0]
    bytes += Array(header.utf8)
    bytes += [UInt8](repeating: 0, count: count)
    let url = try folder.write(bytes, "x.npy")
    #expect(throws: CheckpointError.self) { try VectorTable(contentsOf: url) }
  }
}
