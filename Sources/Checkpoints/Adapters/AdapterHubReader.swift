import EncoderModel
import Foundation
import Kernels

/// Reads what AdapterHub's `save_adapter(DIR, NAME, use_safetensors=True)` writes: bottlenecks, LoRA and
/// (IA)3.
struct AdapterHubReader {
  static let weightsName = "adapter.safetensors"
  private let directory: URL
  private let file: JSONFile
  private let model: PretrainedModel
  private let options: JSONOptions

  init(_ directory: URL, config: JSONFile, model: PretrainedModel) throws {
    self.directory = directory
    file = config
    self.model = model
    options = JSONOptions(config, within: "config")
  }

  func read() throws -> AdapterDirectory {
    if let width = try file.integer("hidden_size"), width != model.configuration.hiddenSize {
      throw CheckpointError(
        "the adapter is for a width of \(width), the base has \(model.configuration.hiddenSize)",
        path: file.url.path, item: "hidden_size", advice: "name the model that it was trained over")
    }
    let weights = try AdapterDirectory.weights(
      directory, AdapterHubReader.weightsName, pickled: "pytorch_adapter.bin", model: model,
      advice: "save the adapter with save_adapter(..., use_safetensors=True)")
    var tensors = try AdapterTensors(weights, prefixes: [])
    let name = try file.string("name") ?? "item"
    let stack: AdapterStack<Float>
    switch try options.string("architecture") {
    case nil: stack = try bottlenecks(name, &tensors)
    case "lora": stack = try changes(name, &tensors)
    case let other?:
      throw options.refusal("adapters of type \(other) aren't supported", "architecture")
    }
    try tensors.finish()
    return AdapterDirectory(
      name: name, format: .adapterHub, stack: stack,
      baseChecksum: weights.metadataValue(AdapterDirectory.checksumKey),
      ignoredTensors: tensors.ignored)
  }

  private func bottlenecks(
    _ name: String, _ tensors: inout AdapterTensors
  ) throws -> AdapterStack<Float> {
    let design = try design()
    var table = ParameterTable()
    var adapters: [BottleneckAdapter.Site: [BottleneckAdapter?]] = [:]
    var taken: [(TensorDescription, String)] = []
    let width = model.configuration.hiddenSize
    for site in BottleneckAdapter.Site.allCases {
      var list: [BottleneckAdapter?] = []
      for layer in 0..<model.configuration.layerCount {
        let scope = BottleneckAdapter.scope(name: name, layer: layer, site: site)
        let names = [
          "adapter_down.0.weight", "adapter_down.0.bias", "adapter_up.weight", "adapter_up.bias",
        ].map { "\(scope).\($0)" }
        guard tensors.names.contains(where: { $0.utf8.elementsEqual(names[0].utf8) }) else {
          list.append(nil)
          continue
        }
        let found = try names.map { try tensors.take($0) }
        guard found[0].shape.count == 2, found[0].shape[1] == width, found[0].shape[0] > 0 else {
          throw tensors.wrongShape(found[0], [0, width])
        }
        list.append(
          BottleneckAdapter(
            name: name, layer: layer, width: width, bottleneck: found[0].shape[0],
            design: design, site: site, in: &table))
        taken += zip(found, names)
      }
      adapters[site] = list
    }
    let store = ParameterStore<Float>(table)
    for (tensor, name) in taken {
      if let entry = table[name] { try tensors.read(tensor, into: store, entry) }
    }
    return AdapterStack(
      adapters: adapters[.feedForward] ?? [], attentionAdapters: adapters[.attention] ?? [],
      weights: store)
  }

  private func design() throws -> BottleneckAdapter.Design {
    try options.refuse(["ln_before", "ln_after", "use_gating", "phm_layer"])
    if options["inv_adapter"]?.isNull == false {
      throw options.refusal("invertible adapters aren't supported", "inv_adapter")
    }
    guard try options.flag("original_ln_after") ?? true else {
      throw options.refusal("only true is supported", "original_ln_after")
    }
    guard let factor = (options["scaling"] ?? .number(1)).doubleValue else {
      throw options.refusal("a learned factor isn't supported", "scaling")
    }
    let isParallel = try options.flag("is_parallel") ?? false
    let isAfterNorm = try options.flag("original_ln_before") ?? false
    if !isParallel, isAfterNorm, options["residual_before_ln"] ?? true != true {
      throw options.refusal("only true is supported", "residual_before_ln")
    }
    let name = try options.string("non_linearity") ?? "relu"
    guard let activation = AdapterHubNames.activation(name.lowercased()) else {
      throw options.refusal(
        "the function \(name) isn't supported", "non_linearity")
    }
    return BottleneckAdapter.Design(
      placement: isParallel ? .parallel : isAfterNorm ? .afterNorm : .sequential,
      activation: activation, scaling: factor)
  }

  private func changes(
    _ name: String, _ tensors: inout AdapterTensors
  ) throws -> AdapterStack<Float> {
    try options.refuse(["use_gating", "use_dora"])
    for key in ["vera_d", "vera_b"] where options[key]?.isNull == false {
      throw options.refusal("VeRA isn't supported", key)
    }
    let mode = try options.string("composition_mode") ?? "add"
    guard ["add", "scale"].contains(mode) else {
      throw options.refusal("the mode \(mode) isn't supported", "composition_mode")
    }
    let alpha = try options.number("alpha") ?? 8
    var builder = ChangeBuilder(model)
    let suffix = ".loras.\(name).lora_B"
    for place in tensors.names where place.hasSuffix(suffix) {
      let target = String(place.dropLast(suffix.count))
      let b = try tensors.take(place)
      if mode == "scale" {
        try builder.factors(target, b, ofInputs: false, scale: alpha, tensors)
      } else {
        let a = try tensors.take("\(target).loras.\(name).lora_A")
        try builder.lowRank(target, a: a, b: b, tensors) { alpha / Double($0) }
      }
    }
    return try builder.finish(tensors)
  }
}

/// AdapterHub's words for what we have.
enum AdapterHubNames {
  private static let activations: [(String, ActivationKind)] = [
    ("relu", .relu), ("swish", .swish), ("silu", .swish), ("gelu", .gelu),
    ("gelu_new", .geluTanh), ("gelu_pytorch_tanh", .geluTanh), ("tanh", .tanh),
    ("linear", .identity),
  ]

  static func activation(_ name: String) -> ActivationKind? {
    activations.first { $0.0 == name }?.1
  }

  /// The first name of a function; every function has one.
  static func name(_ kind: ActivationKind) -> String {
    activations.first { $0.1 == kind }?.0 ?? "relu"
  }
}
