import EncoderModel
import Foundation
import Tokenization

/// Reads what PEFT's `save_pretrained` writes: LoRA with or without biases, (IA)3 and LayerNorm tuning.
struct PEFTReader {
  static let weightsName = "adapter_model.safetensors"
  private let directory: URL
  private let model: PretrainedModel
  private let options: JSONOptions

  init(_ directory: URL, config: JSONFile, model: PretrainedModel) {
    self.directory = directory
    self.model = model
    options = JSONOptions(config)
  }

  func read(_ type: String) throws -> AdapterDirectory {
    guard ["LORA", "IA3", "LN_TUNING"].contains(type) else {
      throw options.refusal(
        "PEFT's type \(type) isn't supported; LORA, IA3 and LN_TUNING are", "peft_type")
    }
    try options.refuse(["use_dora", "fan_in_fan_out", "lora_bias", "use_qalora"])
    for key in [
      "alpha_pattern", "rank_pattern", "layer_replication", "trainable_token_indices",
      "alora_invocation_tokens", "arrow_config", "target_parameters",
    ] {
      guard PEFTReader.isEmpty(options[key]) else {
        throw options.refusal("this isn't supported", key)
      }
    }
    let weights = try AdapterDirectory.weights(
      directory, PEFTReader.weightsName, pickled: "adapter_model.bin", model: model,
      advice: "save the adapter with save_pretrained(..., safe_serialization=True)")
    var tensors = try AdapterTensors(weights, prefixes: ["base_model.model."])
    let stack = try changes(&tensors)
    try tensors.finish()
    return AdapterDirectory(
      name: directory.standardizedFileURL.lastPathComponent, format: .peft, stack: stack,
      baseChecksum: weights.metadataValue(AdapterDirectory.checksumKey),
      ignoredTensors: tensors.ignored)
  }

  private static func isEmpty(_ value: JSONValue?) -> Bool {
    switch value {
    case nil, .null?, .bool(false)?: true
    case .array(let list)?: list.isEmpty
    case .object(let members)?: members.isEmpty
    default: false
    }
  }

  private func changes(_ tensors: inout AdapterTensors) throws -> AdapterStack<Float> {
    let alpha = try options.number("lora_alpha") ?? 8
    let dividesByRoot = try options.flag("use_rslora") ?? false
    var builder = ChangeBuilder(model)
    for name in tensors.names {
      func stem(_ suffix: String) -> String? {
        name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : nil
      }
      if let target = stem(".lora_A.weight") {
        let (a, b) = (try tensors.take(name), try tensors.take("\(target).lora_B.weight"))
        try builder.lowRank(target, a: a, b: b, tensors) {
          alpha / (dividesByRoot ? Double($0).squareRoot() : Double($0))
        }
      } else if name.hasSuffix(".lora_B.weight") {
        continue
      } else if let target = stem(".ia3_l") {
        let tensor = try tensors.take(name)
        try builder.factors(target, tensor, ofInputs: tensor.shape.first == 1, tensors)
      } else {
        let plain =
          stem(".base_layer.bias").map { "\($0).bias" }
          ?? stem(".ln_tuning_layers.weight").map { "\($0).weight" }
          ?? stem(".ln_tuning_layers.bias").map { "\($0).bias" } ?? name
        guard model.weights.table[plain] != nil, !TensorNames.belongsToHead(plain) else { continue }
        try builder.replacement(plain, try tensors.take(name), tensors)
      }
    }
    return try builder.finish(tensors)
  }
}
