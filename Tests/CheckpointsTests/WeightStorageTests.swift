import Checkpoints
import EncoderModel
import Foundation
import Kernels
import TestSupport
import Testing

@Suite("Weights used where the file is")
struct WeightStorageTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func vectors(_ model: PretrainedModel) -> [Float] {
    let texts = ["the red teacup", "", "a small book of tea , and the blue item"]
    return model.embedder(workers: Workers(count: 1)).embed(
      texts.map { model.tokenizer.encode($0, maximumLength: model.sentence.maximumLength) })
  }

  @Test(
    "the same bytes of vectors as from memory, whatever the file holds",
    arguments: ["mlm", "st6", "legacy"])
  func sameVectors(name: String) throws {
    let directory = Goldens.directory(name)
    let copied = try PretrainedModel.load(from: directory)
    let mapped = try PretrainedModel.load(from: directory, storage: .mapping)
    #expect(mapped.weights.isReadOnly && !copied.weights.isReadOnly)
    #expect(vectors(mapped) == vectors(copied))
    let back = mapped.weights.copied()
    withExtendedLifetime((back, copied)) {
      #expect(back.values.elementsEqual(copied.weights.values))
    }
    // Half precision is converted, so nothing of it can be used in place.
    let inPlace = mapped.weights.table.entries.filter { mapped.weights.isMapped($0) }.map(\.name)
    #expect(inPlace.isEmpty == (name == "legacy"))
    // transformers writes key, query and value in another order than one product needs.
    #expect(!inPlace.contains { $0.contains("attention.self") })
  }

  @Test("our own files hold query, key and value in a row: everything is used in place")
  func ownFiles() throws {
    let url = folder.file("model")
    let model = try PretrainedModel.load(from: Goldens.directory("st6"))
    try model.write(to: url, product: .encoder, modelCard: "")
    let mapped = try PretrainedModel.load(from: url, storage: .mapping)
    #expect(mapped.weights.table.entries.allSatisfy { mapped.weights.isMapped($0) })
    #expect(vectors(mapped) == vectors(model))
  }

  @Test("a model stays what it was when its file is replaced, and when its folder goes")
  func replaced() throws {
    let url = folder.file("model")
    try FileManager.default.copyItem(at: Goldens.directory("st6"), to: url)
    let mapped = try PretrainedModel.load(from: url, storage: .mapping)
    let before = vectors(mapped)
    let other = try PretrainedModel.load(from: url)
    other.weights.zero()
    try other.write(to: url, product: .encoder, modelCard: "")
    #expect(vectors(mapped) == before)
    let zeros = try PretrainedModel.load(from: url, storage: .mapping)
    #expect(vectors(zeros) != before)
    try FileManager.default.removeItem(at: url)
    #expect(vectors(mapped) == before)
  }

  @Test("F32 tensors at odd places are read instead of used in place")
  func oddPlaces() throws {
    let url = folder.file("model")
    try FileManager.default.copyItem(at: Goldens.directory("st6"), to: url)
    let expected = vectors(try PretrainedModel.load(from: url))
    let file = url.appendingPathComponent("model.safetensors")
    let bytes = try [UInt8](Data(contentsOf: file))
    let length = bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    // One space more in the header moves all tensors by a byte.
    var moved = (0..<8).map { UInt8(truncatingIfNeeded: (length + 1) >> (8 * $0)) }
    moved += bytes[8..<8 + length] + [0x20] + bytes[(8 + length)...]
    try Data(moved).write(to: file)
    let mapped = try PretrainedModel.load(from: url, storage: .mapping)
    #expect(mapped.weights.table.entries.allSatisfy { !mapped.weights.isMapped($0) })
    #expect(vectors(mapped) == expected)
  }

  @Test("values that aren't finite are refused in place too")
  func notFinite() throws {
    let url = folder.file("model")
    try FileManager.default.copyItem(at: Goldens.directory("st6"), to: url)
    let file = url.appendingPathComponent("model.safetensors")
    var bytes = try [UInt8](Data(contentsOf: file))
    let layout = try SafeTensorsFile(file)
    let name = "encoder.layer.1.output.dense.weight"
    let tensor = try #require(layout[name])
    let dataStart = bytes.count - (layout.tensors.last?.byteRange.upperBound ?? 0)
    let end = dataStart + tensor.byteRange.upperBound
    bytes.replaceSubrange(end - 4..<end, with: [0, 0, 0x80, 0x7F])
    try Data(bytes).write(to: file)
    do {
      _ = try PretrainedModel.load(from: url, storage: .mapping)
      Issue.record("loaded")
    } catch {
      #expect("\(error)".contains(name))
    }
  }
}
