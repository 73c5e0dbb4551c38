import Checkpoints
import Foundation
import Testing

@Suite("Writing safetensors")
struct SafeTensorsWriterTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func append(_ values: [Float], to writer: SafeTensorsWriter) throws {
    try values.withUnsafeBufferPointer { try writer.append($0) }
  }

  @Test("the bytes are those of the format: length, padded header, data")
  func bytes() throws {
    let url = folder.file("x.safetensors")
    let writer = try SafeTensorsWriter(
      url, tensors: [.init("w", shape: [2]), .init("e", shape: [0])], metadata: [("k", "v\"")])
    try append([1, -2], to: writer)
    #expect(!FileManager.default.fileExists(atPath: url.path))
    try writer.finish()
    var header =
      "{\"__metadata__\":{\"k\":\"v\\\"\"},\"w\":{\"dtype\":\"F32\",\"shape\":[2],"
      + "\"data_offsets\":[0,8]},\"e\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[8,8]}}"
    while header.utf8.count % 8 != 0 { header += " " }
    let expected = tensorFile(header, data: [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0])
    #expect(try [UInt8](Data(contentsOf: url)) == expected)
    #expect(try folder.names() == ["x.safetensors"])
  }

  @Test("what is written in parts and in half precision reads back")
  func roundTrip() throws {
    let url = folder.file("x.safetensors")
    let writer = try SafeTensorsWriter(
      url,
      tensors: [
        .init("half", shape: [3], type: .float16), .init("brain", shape: [3], type: .bfloat16),
        .init("full", shape: [1, 3]),
      ])
    for _ in 0..<2 { try append([0.1, 50_000, -3], to: writer) }
    try append([0.1], to: writer)
    try append([2, 3], to: writer)
    try writer.finish()
    let file = try SafeTensorsFile(url)
    #expect(try file.floats("half") == [0.0999755859375, 49_984, -3])
    #expect(try file.floats("brain") == [0.10009765625, 49_920, -3])
    #expect(try file.floats("full") == [0.1, 2, 3])
  }

  @Test("a value beyond half precision is refused, and then no file stays")
  func largeHalves() throws {
    do {
      let writer = try SafeTensorsWriter(
        folder.file("x"), tensors: [.init("w", shape: [2], type: .float16)])
      try append([65519], to: writer)
      let error = #expect(throws: CheckpointError.self) { try append([-65520], to: writer) }
      #expect(error?.description.contains("-65520.0 is too large for F16") == true)
    }
    #expect(try folder.names() == [])
  }

  @Test("too many and too few values are errors, and then no file stays")
  func counts() throws {
    do {
      let writer = try SafeTensorsWriter(folder.file("x"), tensors: [.init("w", shape: [2])])
      try append([1], to: writer)
      let missing = #expect(throws: CheckpointError.self) { try writer.finish() }
      #expect(missing?.place.hasSuffix(": w") == true)
      #expect(throws: CheckpointError.self) { try append([1, 2], to: writer) }
      try append([1], to: writer)
      #expect(throws: CheckpointError.self) { try append([1], to: writer) }
    }
    #expect(try folder.names() == [])
  }

  @Test("names that stand twice and types that can't be written are refused")
  func declarations() throws {
    #expect(throws: CheckpointError.self) {
      try SafeTensorsWriter(
        folder.file("x"), tensors: [.init("w", shape: [2]), .init("w", shape: [2])])
    }
    #expect(throws: CheckpointError.self) {
      try SafeTensorsWriter(folder.file("x"), tensors: [.init("w", shape: [2], type: .int64)])
    }
    #expect(throws: CheckpointError.self) {
      try SafeTensorsWriter(folder.file("no/x"), tensors: [])
    }
    #expect(throws: CheckpointError.self) {
      try SafeTensorsWriter(folder.url, tensors: [])
    }
  }
}
