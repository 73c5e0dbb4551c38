import Checkpoints
import EncoderModel
import Foundation
import TestSupport
import Testing

@Suite("Adapters that are refused")
struct AdapterDamageTests {
  private let model: PretrainedModel
  private let folder: TemporaryFolder

  init() throws {
    model = try AdapterGoldens.base()
    folder = try TemporaryFolder()
  }

  /// A copy of a golden adapter with an edited configuration.
  private func copy(_ name: String, _ old: String = "", _ new: String = "") throws -> URL {
    let target = folder.file(name)
    try FileManager.default.copyItem(at: AdapterGoldens.directory(name), to: target)
    guard !old.isEmpty else { return target }
    let url = target.appendingPathComponent("adapter_config.json")
    let text = try String(contentsOf: url, encoding: .utf8)
    try #require(text.contains(old), "the configuration has no \(old)")
    try text.replacingOccurrences(of: old, with: new).write(
      to: url, atomically: true, encoding: .utf8)
    return target
  }

  private func refusal(_ directory: URL) throws -> CheckpointError {
    try #require(
      #expect(throws: CheckpointError.self) {
        try AdapterDirectory.read(directory, model: model)
      })
  }

  /// A key of the configuration, its old and its new text.
  static let refused: [(String, String, String, String)] = [
    ("hub_seq_bn", "\"ln_before\": false", "\"ln_before\": true", "ln_before"),
    ("hub_seq_bn", "\"use_gating\": false", "\"use_gating\": true", "use_gating"),
    ("hub_seq_bn", "\"scaling\": 1.0", "\"scaling\": \"learned\"", "scaling"),
    (
      "hub_seq_bn", "\"residual_before_ln\": true", "\"residual_before_ln\": \"post_add\"",
      "residual_before_ln"
    ),
    ("hub_seq_bn", "\"non_linearity\": \"relu\"", "\"non_linearity\": \"leakyrelu\"", "leakyrelu"),
    ("hub_seq_bn", "\"hidden_size\": 16", "\"hidden_size\": 32", "hidden_size"),
    ("hub_seq_bn", "\"inv_adapter\": null", "\"inv_adapter\": \"nice\"", "inv_adapter"),
    ("hub_seq_bn", "\"name\": \"books\"", "\"name\": \"films\"", "books"),
    ("hub_lora", "\"architecture\": \"lora\"", "\"architecture\": \"reft\"", "reft"),
    ("hub_lora", "\"use_dora\": false", "\"use_dora\": true", "use_dora"),
    ("hub_lora", "\"vera_d\": null", "\"vera_d\": 0.1", "vera_d"),
    ("hub_ia3", "\"alpha\": 1", "\"alpha\": 0", "alpha"),
    ("peft_lora", "\"peft_type\": \"LORA\"", "\"peft_type\": \"VERA\"", "VERA"),
    ("peft_lora", "\"use_dora\": false", "\"use_dora\": true", "use_dora"),
    ("peft_lora", "\"rank_pattern\": {}", "\"rank_pattern\": {\"query\": 3}", "rank_pattern"),
    ("peft_lora", "\"lora_alpha\": 8", "\"lora_alpha\": \"8\"", "lora_alpha"),
  ]

  @Test("an option that would change vectors and isn't supported", arguments: refused)
  func options(_ name: String, _ old: String, _ new: String, _ named: String) throws {
    let error = try refusal(try copy(name, old, new))
    #expect(error.description.contains(named), "\(error)")
    #expect(error.place.contains(name), "\(error)")
  }

  @Test("an adapter that we wrote knows its base")
  func checksum() throws {
    let stack = try AdapterDirectory.read(
      AdapterGoldens.directory("peft_lora"), model: model
    ).stack
    let target = folder.file("lora")
    try AdapterDirectory.write(stack, model: model, to: target)
    // Another base of the same sizes: one weight differs, in its last bit.
    let other = try AdapterGoldens.base()
    other.weights.base[100] = other.weights.base[100].nextUp
    #expect(other.weightsChecksum != model.weightsChecksum)
    let error = try #require(
      #expect(throws: CheckpointError.self) {
        try AdapterDirectory.read(target, model: other)
      })
    #expect(error.what.contains(model.weightsChecksum) && error.what.contains("another base"))
    // Files of other programs name no base; shapes must do.
    _ = try AdapterDirectory.read(AdapterGoldens.directory("peft_lora"), model: other)
  }

  @Test("the checksum is that of the encoder, whatever heads stand on it")
  func checksumWithoutHeads() throws {
    let bare = try PretrainedModel.load(from: Goldens.directory("mlm"))
    let full = try PretrainedModel.load(from: Goldens.directory("mlm"), heads: .trainable)
    #expect(bare.weightsChecksum == full.weightsChecksum)
    #expect(full.weights.count > bare.weights.count)
  }

  @Test("a fully tuned encoder is kept as a model and read as an adapter")
  func fullModel() throws {
    let goldens = try AdapterGoldens.load()
    let weights = try AdapterDirectory.read(
      AdapterGoldens.directory("peft_rslora"), model: model
    ).stack.merged(into: model.weights)
    let stack = AdapterStack(replacing: model.weights, weights: weights, encoder: model.encoder)
    let target = folder.file("full")
    try AdapterDirectory.write(stack, model: model, to: target, modelCard: "Tuned.\n")
    let read = try AdapterDirectory.read(target, model: model)
    #expect(read.format == .model && read.stack.replacesAll)
    #expect(goldens.states(model, read.stack) == goldens.states(model, weights: weights))
    let alone = try PretrainedModel.load(from: target)
    #expect(goldens.states(alone, nil) == goldens.states(model, weights: weights))
    // A model that wasn't tuned from a base is no adapter, and the base must be the right one.
    #expect(try refusal(Goldens.directory("mlm")).what.contains("no adapter"))
    let other = try AdapterGoldens.base()
    other.weights.base[0] += 1
    #expect(throws: CheckpointError.self) { try AdapterDirectory.read(target, model: other) }
  }

  @Test("pickled weights are refused with what to do")
  func pickled() throws {
    for (name, old, new) in [
      ("hub_seq_bn", "adapter.safetensors", "pytorch_adapter.bin"),
      ("peft_lora", "adapter_model.safetensors", "adapter_model.bin"),
    ] {
      let target = try copy(name)
      try FileManager.default.moveItem(
        at: target.appendingPathComponent(old), to: target.appendingPathComponent(new))
      let error = try refusal(target)
      #expect(error.what.contains("pickled") && error.place.hasSuffix(new))
    }
  }

  @Test("a tensor of another encoder")
  func wrongTensors() throws {
    // The st6 model has the sizes of mlm, so a layer is renamed instead.
    for (name, file) in [
      ("peft_lora", "adapter_model.safetensors"), ("hub_seq_bn", "adapter.safetensors"),
      ("hub_lora", "adapter.safetensors"), ("peft_layernorm", "adapter_model.safetensors"),
    ] {
      let url = try copy(name).appendingPathComponent(file)
      var bytes = try Data(contentsOf: url)
      let old = Data("layer.1.".utf8)
      let place = try #require(bytes.range(of: old))
      bytes.replaceSubrange(place, with: Data("layer.7.".utf8))
      try bytes.write(to: url)
      let error = try refusal(url.deletingLastPathComponent())
      #expect(error.place.contains("layer."), "\(error)")
      try FileManager.default.removeItem(at: url.deletingLastPathComponent())
    }
  }

  @Test("truncated files and folders without an adapter")
  func damaged() throws {
    let target = try copy("hub_ia3")
    let url = target.appendingPathComponent("adapter.safetensors")
    try Data(contentsOf: url).prefix(200).write(to: url)
    _ = try refusal(target)
    _ = try refusal(folder.file("nothing"))
    _ = try refusal(folder.url)
    try Data("{}".utf8).write(to: folder.file("adapter_config.json"))
    _ = try refusal(folder.url)
  }

  @Test("values that aren't finite")
  func notFinite() throws {
    let read = try AdapterDirectory.read(AdapterGoldens.directory("hub_lora"), model: model)
    read.stack.weights.base[3] = .nan
    let target = folder.file("nan")
    try AdapterDirectory.write(read.stack, format: .adapterHub, model: model, to: target)
    #expect(try refusal(target).what.contains("finite"))
  }
}
