import Checkpoints
import EncoderModel
import Foundation
import TestSupport
import Testing

/// A protocol buffers reader of its own: field number -> values, as onnx.proto's messages need it.
private struct WireMessage {
  enum Value {
    case number(UInt64)
    case bytes(ArraySlice<UInt8>)
    case float(Float)
  }

  private(set) var fields: [(number: Int, value: Value)] = []

  init(_ bytes: ArraySlice<UInt8>) throws {
    var rest = bytes
    while !rest.isEmpty {
      let tag = try WireMessage.varint(&rest)
      switch tag & 7 {
      case 0: fields.append((Int(tag >> 3), .number(try WireMessage.varint(&rest))))
      case 2:
        let length = Int(try WireMessage.varint(&rest))
        try #require(length <= rest.count)
        fields.append((Int(tag >> 3), .bytes(rest.prefix(length))))
        rest = rest.dropFirst(length)
      case 5:
        try #require(rest.count >= 4)
        let bits = rest.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        fields.append((Int(tag >> 3), .float(Float(bitPattern: bits))))
        rest = rest.dropFirst(4)
      default: Issue.record("wire type \(tag & 7)")
      }
    }
  }

  private static func varint(_ rest: inout ArraySlice<UInt8>) throws -> UInt64 {
    var (value, shift): (UInt64, UInt64) = (0, 0)
    while true {
      let next = rest.popFirst()
      let byte = try #require(next)
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
  }

  func numbers(_ field: Int) -> [UInt64] {
    fields.compactMap {
      if $0.number == field, case .number(let value) = $0.value { value } else { nil }
    }
  }

  func bytes(_ field: Int) -> [ArraySlice<UInt8>] {
    fields.compactMap {
      if $0.number == field, case .bytes(let value) = $0.value { value } else { nil }
    }
  }

  func texts(_ field: Int) -> [String] { bytes(field).map { String(decoding: $0, as: UTF8.self) } }

  func messages(_ field: Int) throws -> [WireMessage] {
    try bytes(field).map { try WireMessage($0) }
  }
}

@Suite("ONNX files")
struct ONNXFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func graph(
    _ model: PretrainedModel, type: TensorType = .float32
  ) throws -> (model: WireMessage, graph: WireMessage) {
    let url = folder.file(UUID().uuidString)
    try model.write(
      to: url, product: .graphOnly, type: type, graph: .init(), modelCard: "")
    #expect(
      !FileManager.default.fileExists(atPath: url.appendingPathComponent("model.safetensors").path))
    let bytes = try [UInt8](Data(contentsOf: url.appendingPathComponent("onnx/model.onnx")))
    let message = try WireMessage(bytes[...])
    return (message, try #require(try message.messages(7).first))
  }

  @Test("the file is a ModelProto of opset 17 with the three inputs and both outputs")
  func header() throws {
    let model = try PretrainedModel.load(from: Goldens.directory("st6"))
    let (file, graph) = try graph(model)
    #expect(file.numbers(1) == [8])
    #expect(try file.messages(8).map { $0.numbers(2) } == [[17]])
    #expect(
      try graph.messages(11).map { $0.texts(1) } == [
        ["input_ids"], ["attention_mask"], ["token_type_ids"],
      ])
    #expect(
      try graph.messages(12).map { $0.texts(1) } == [
        ["last_hidden_state"], ["sentence_embedding"],
      ])
  }

  @Test("a folder that is written again keeps no graph and no weights of another model")
  func stale() throws {
    let url = folder.file("model")
    let model = try PretrainedModel.load(from: Goldens.directory("st6"))
    func has(_ name: String) -> Bool {
      FileManager.default.fileExists(atPath: url.appendingPathComponent(name).path)
    }
    try model.write(to: url, product: .encoder, graph: .init(), modelCard: "")
    #expect(has("model.safetensors") && has("onnx/model.onnx"))
    try model.write(to: url, product: .graphOnly, graph: .init(), modelCard: "")
    #expect(!has("model.safetensors") && has("onnx/model.onnx"))
    try model.write(to: url, product: .encoder, modelCard: "")
    #expect(has("model.safetensors") && !has("onnx/model.onnx"))
  }

  @Test("every node's inputs exist before it, and no name is given twice")
  func order() throws {
    for name in ["mlm", "st6", "legacy"] {
      let model = try PretrainedModel.load(from: Goldens.directory(name))
      let (_, graph) = try graph(model)
      var known: Set<String> = ["input_ids", "attention_mask", "token_type_ids"]
      for initializer in try graph.messages(5) {
        #expect(known.insert(initializer.texts(8)[0]).inserted)
      }
      for node in try graph.messages(1) {
        for input in node.texts(1) { #expect(known.contains(input), "\(input)") }
        for output in node.texts(2) { #expect(known.insert(output).inserted, "\(output)") }
      }
      #expect(known.isSuperset(of: ["last_hidden_state", "sentence_embedding"]))
    }
  }

  @Test("weights are the model's, matrices transposed, in the type asked for")
  func weights() throws {
    let model = try PretrainedModel.load(from: Goldens.directory("st6"))
    let expected = try #require(
      model.weights.table["encoder.layer.1.intermediate.dense.weight"])
    let values = model.weights[expected]
    for (type, number) in [(TensorType.float32, 1), (.float16, 10), (.bfloat16, 16)] {
      let (_, graph) = try graph(model, type: type)
      let tensor = try #require(
        try graph.messages(5).first { $0.texts(8) == [expected.name] })
      // (32, 16) in the model, as PyTorch has it.
      #expect(tensor.numbers(1) == [16, 32])
      #expect(tensor.numbers(2) == [UInt64(number)])
      let raw = try #require(tensor.bytes(9).first)
      try #require(raw.count == 512 * type.byteCount)
      for input in 0..<16 {
        for output in 0..<32 {
          let place = raw.startIndex + (input * 32 + output) * type.byteCount
          let bits = raw[place..<place + type.byteCount].reversed().reduce(UInt32(0)) {
            $0 << 8 | UInt32($1)
          }
          let value = values[output * 16 + input]
          switch type {
          case .float16:
            #expect(Float16(bitPattern: UInt16(bits)) == Float16(value))
          case .bfloat16:
            expectClose(Float(bitPattern: bits << 16), value, relative: 0x1p-8)
          default: #expect(Float(bitPattern: bits) == value)
          }
        }
      }
    }
  }
}
