import Checkpoints
import EncoderModel
import Foundation
import Kernels
import TestSupport
import Testing

@Suite("Adapters of AdapterHub and PEFT")
struct AdapterReadingTests {
  private let goldens: AdapterGoldens
  private let model: PretrainedModel
  private let folder: TemporaryFolder

  init() throws {
    goldens = try AdapterGoldens.load()
    model = try AdapterGoldens.base()
    folder = try TemporaryFolder()
  }

  private func expected(_ name: String) throws -> [Float] {
    try #require(goldens.hidden[name], "no states of \(name)")
  }

  @Test(
    "what the libraries saved gives what it gave there",
    arguments: AdapterGoldens.hub + AdapterGoldens.peft)
  func states(_ name: String) throws {
    expectClose(
      goldens.states(model, nil), try expected("base"), absolute: 1e-5, "the base alone")
    let read = try AdapterDirectory.read(AdapterGoldens.directory(name), model: model)
    // This one's weights are so large that the library's own Float result is 3.4e-5 from its Double one.
    let bound: Float = name == "peft_rslora" ? 1e-4 : 1e-5
    expectClose(goldens.states(model, read.stack), try expected(name), absolute: bound, name)
    #expect(read.format == (name.hasPrefix("hub") ? .adapterHub : .peft))
    #expect(read.name == (name.hasPrefix("hub") ? "books" : name))
    #expect(read.stack.weights.count == goldens.parameters[name])
    #expect(read.baseChecksum == nil && read.ignoredTensors == [])
  }

  @Test(
    "what we write in the same format is the same adapter",
    arguments: AdapterGoldens.hub + AdapterGoldens.peft)
  func roundTrip(_ name: String) throws {
    let read = try AdapterDirectory.read(AdapterGoldens.directory(name), model: model)
    let target = folder.file("copy")
    if ["peft_saved", "peft_layernorm"].contains(name) {
      // LayerNorm weights beside or without LoRA: PEFT's other ways of saving aren't written.
      #expect(throws: CheckpointError.self) {
        try AdapterDirectory.write(read.stack, model: model, to: target)
      }
      return
    }
    try AdapterDirectory.write(
      read.stack, name: read.name, format: read.format, model: model, to: target)
    let again = try AdapterDirectory.read(target, model: model)
    #expect(again.format == read.format)
    #expect(again.baseChecksum == model.weightsChecksum)
    #expect(again.stack.weights.count == read.stack.weights.count)
    #expect(goldens.states(model, again.stack) == goldens.states(model, read.stack))
    // Names and shapes are the library's own.
    let file = read.format == .peft ? "adapter_model.safetensors" : "adapter.safetensors"
    func described(_ directory: URL) throws -> [String] {
      try SafeTensorsFile(directory.appendingPathComponent(file)).tensors
        .map { "\($0.name) \($0.shape)" }.sorted()
    }
    #expect(try described(target) == described(AdapterGoldens.directory(name)))
  }

  @Test("LoRA moves from one format to the other; others say what can't be said")
  func otherFormat() throws {
    let lora = try AdapterDirectory.read(AdapterGoldens.directory("hub_lora"), model: model)
    let target = folder.file("lora")
    try AdapterDirectory.write(lora.stack, format: .peft, model: model, to: target)
    let moved = try AdapterDirectory.read(target, model: model)
    #expect(moved.format == .peft && moved.name == "lora")
    expectClose(
      goldens.states(model, moved.stack), try expected("hub_lora"), absolute: 1e-5)
    for (name, format) in [
      ("hub_seq_bn", AdapterFormat.peft), ("peft_ia3", .adapterHub), ("peft_biases", .adapterHub),
      ("hub_lora", .model),
    ] {
      let read = try AdapterDirectory.read(AdapterGoldens.directory(name), model: model)
      let error = #expect(throws: CheckpointError.self) {
        try AdapterDirectory.write(
          read.stack, format: format, model: model, to: folder.file("never"))
      }
      #expect(error?.place.hasSuffix(format.rawValue) ?? false, "\(name)")
    }
    #expect(try folder.names().allSatisfy { !$0.hasPrefix("never") })
  }

  @Test("merged weights give what the adapter gives, and unmerging gives the base back")
  func merging() throws {
    for name in ["hub_lora", "hub_ia3", "peft_lora", "peft_ia3", "peft_biases", "peft_saved"] {
      let stack = try AdapterDirectory.read(AdapterGoldens.directory(name), model: model).stack
      let before = Array(model.weights.values)
      let merged = try stack.merged(into: model.weights)
      #expect(Array(model.weights.values) == before, "the base stays")
      expectClose(
        goldens.states(model, weights: merged), try expected(name), absolute: 1e-5, name)
      if name == "peft_biases" || name == "peft_saved" {
        #expect(throws: AdapterMergeError.self) { try stack.unmerged(from: merged) }
      } else {
        // The values end with their store.
        let restored = try stack.unmerged(from: merged)
        withExtendedLifetime(restored) {
          expectClose(Array(restored.values), before, absolute: 1e-5, name)
        }
      }
    }
    let bottlenecks = try AdapterDirectory.read(
      AdapterGoldens.directory("hub_par_bn"), model: model
    ).stack
    #expect(throws: AdapterMergeError.self) { try bottlenecks.merged(into: model.weights) }
  }

  @Test("several adapters stand over one base and are chosen by name")
  func names() throws {
    var set = AdapterSet(model)
    try set.load(AdapterGoldens.directory("hub_double_seq_bn"))
    try set.load(AdapterGoldens.directory("peft_lora"), name: "tea")
    try set.load(AdapterGoldens.directory("peft_ia3"))
    #expect(set.names == ["books", "tea", "peft_ia3"])
    for (name, golden) in [
      ("tea", "peft_lora"), ("books", "hub_double_seq_bn"), ("peft_ia3", "peft_ia3"),
      ("books", "hub_double_seq_bn"),
    ] {
      expectClose(
        goldens.states(model, try set.stack(named: name)), try expected(golden), absolute: 1e-5,
        name)
    }
    expectClose(
      goldens.states(model, try set.stack(named: nil)), try expected("base"), absolute: 1e-5)
    #expect(throws: CheckpointError.self) { try set.stack(named: "coffee") }
    #expect(throws: CheckpointError.self) {
      try set.load(AdapterGoldens.directory("hub_lora"))
    }
  }
}
