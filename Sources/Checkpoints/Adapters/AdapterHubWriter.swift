import EncoderModel
import Foundation
import Kernels
import Tokenization

/// Puts an adapter into the terms of AdapterHub's `adapters`.
struct AdapterHubWriter {
  let stack: AdapterStack<Float>
  let name: String
  let configuration: EncoderConfiguration
  let place: URL

  func contents() throws -> (JSONValue, [OutgoingTensor]) {
    guard stack.hasBottlenecks else {
      return try changes()
    }
    return (outer(try bottleneckOptions()), bottleneckTensors())
  }

  private func outer(_ options: [JSONMember]) -> JSONValue {
    [
      "config": .object(options), "hidden_size": .integer(Int64(configuration.hiddenSize)),
      "model_class": "BertModel", "model_name": "", "model_type": "bert", "name": .string(name),
      "version": "adapters.1.3.0",
    ]
  }

  private func refuse(_ what: String) -> CheckpointError {
    AdapterDirectory.inexpressible(what, .adapterHub, place)
  }

  private func bottleneckOptions() throws -> [JSONMember] {
    let all = (stack.attentionAdapters + stack.adapters).compactMap { $0 }
    guard let first = all.first, all.allSatisfy({ $0.design == first.design }) else {
      throw refuse("the adapter's bottlenecks differ in more than their width")
    }
    let sites: (attention: Bool, feedForward: Bool) = (
      all.contains { $0.site == .attention }, all.contains { $0.site == .feedForward }
    )
    var widths: [(layer: Int, width: Int)] = []
    var absent: [JSONValue] = []
    for layer in 0..<configuration.layerCount {
      let here = all.filter { $0.layer == layer }
      guard let width = here.first?.bottleneckWidth else {
        absent.append(.integer(Int64(layer)))
        continue
      }
      let needed = (sites.attention ? 1 : 0) + (sites.feedForward ? 1 : 0)
      guard here.count == needed, here.allSatisfy({ $0.bottleneckWidth == width }) else {
        throw refuse("the bottlenecks of layer \(layer) differ from those of the other layers")
      }
      widths.append((layer, width))
    }
    let common = widths.allSatisfy { $0.width == widths[0].width }
    let factor: JSONValue =
      common
      ? reduction(first.bottleneckWidth)
      : .object(widths.map { JSONMember("\($0.layer)", reduction($0.width)) })
    let design = first.design
    let init0: JSONValue = design.placement == .parallel ? "mam_adapter" : "bert"
    return [
      JSONMember("adapter_residual_before_ln", false), JSONMember("cross_adapter", false),
      JSONMember("dropout", 0.0), JSONMember("init_weights", init0),
      JSONMember("inv_adapter", nil), JSONMember("inv_adapter_reduction_factor", nil),
      JSONMember("is_parallel", .bool(design.placement == .parallel)),
      JSONMember("leave_out", .array(absent)), JSONMember("ln_after", false),
      JSONMember("ln_before", false), JSONMember("mh_adapter", .bool(sites.attention)),
      JSONMember("non_linearity", .string(AdapterHubNames.name(design.activation))),
      JSONMember("original_ln_after", true),
      JSONMember("original_ln_before", .bool(design.placement == .afterNorm)),
      JSONMember("output_adapter", .bool(sites.feedForward)), JSONMember("phm_layer", false),
      JSONMember("reduction_factor", factor), JSONMember("residual_before_ln", true),
      JSONMember("scaling", .number(design.scaling)), JSONMember("use_gating", false),
    ]
  }

  /// A factor for which int(H // factor) is the width, in Python's arithmetic.
  private func reduction(_ width: Int) -> JSONValue {
    let hidden = configuration.hiddenSize
    if hidden % width == 0 { return .integer(Int64(hidden / width)) }
    var factor = Double(hidden) / Double(width)
    // Rounded up, the factor would go into H one time less.
    if factor * Double(width) > Double(hidden)
      || Double(hidden).remainder(dividingBy: factor) < 0
    {
      factor = factor.nextDown
    }
    return .number(factor)
  }

  private func bottleneckTensors() -> [OutgoingTensor] {
    let all = (stack.attentionAdapters + stack.adapters).compactMap { $0 }
    return all.flatMap { adapter -> [OutgoingTensor] in
      let scope = BottleneckAdapter.scope(name: name, layer: adapter.layer, site: adapter.site)
      return adapter.tensors.map {
        OutgoingTensor("\(scope).\($0.name)", shape: $0.shape, $0.handle, stack.weights)
      }
    }
  }
}

extension AdapterHubWriter {
  /// Where AdapterHub has LoRA modules, and what its configuration calls the place.
  private static let matrices = [
    ("attention.self.query", "q"), ("attention.self.key", "k"), ("attention.self.value", "v"),
  ]

  private func changes() throws -> (JSONValue, [OutgoingTensor]) {
    guard let first = stack.changes.first else { throw refuse("the adapter is empty") }
    var tensors: [OutgoingTensor] = []
    var places: [String: [Int]] = [:]
    let isScale: Bool
    let alpha: Double
    let rank: Int
    switch first.rule {
    case .lowRank(_, _, let r, let scale): (isScale, alpha, rank) = (false, scale * Double(r), r)
    case .scaledOutputs(_, let scale): (isScale, alpha, rank) = (true, scale, 1)
    case .scaledInputs, .replacement: throw foreign(first)
    }
    for change in stack.changes {
      let (layer, module) = try position(change)
      places[module, default: []].append(layer)
      let scope = "\(change.target).loras.\(name)"
      let (rows, columns) = (change.weight.shape[0], change.weight.shape[1])
      switch change.rule {
      case .lowRank(let a, let b, rank, let scale)
      where !isScale && abs(scale * Double(rank) - alpha) < 1e-9:
        tensors.append(.init("\(scope).lora_A", shape: [rank, columns], a, stack.weights))
        tensors.append(.init("\(scope).lora_B", shape: [rows, rank], b, stack.weights))
      case .scaledOutputs(let factors, alpha) where isScale:
        tensors.append(.init("\(scope).lora_B", shape: [rows, 1], factors, stack.weights))
      default: throw foreign(change)
      }
    }
    let layers = Set(places.values.joined()).sorted()
    guard places.values.allSatisfy({ $0.sorted() == layers }) else {
      throw refuse("the changes aren't the same in every layer")
    }
    let chosen = AdapterHubWriter.matrices.filter { places[$0.0] != nil }
    let absent = (0..<configuration.layerCount).filter { !layers.contains($0) }
    let isWhole = alpha == alpha.rounded() && abs(alpha) < 1e6
    return (
      outer([
        JSONMember("alpha", isWhole ? .integer(Int64(alpha)) : .number(alpha)),
        JSONMember("architecture", "lora"),
        JSONMember("attn_matrices", .array(chosen.map { .string($0.1) })),
        JSONMember("composition_mode", isScale ? "scale" : "add"), JSONMember("dropout", 0.0),
        JSONMember("init_weights", isScale ? "ia3" : "lora"),
        JSONMember("intermediate_lora", .bool(places["intermediate.dense"] != nil)),
        JSONMember("leave_out", .array(absent.map { .integer(Int64($0)) })),
        JSONMember("output_lora", .bool(places["output.dense"] != nil)),
        JSONMember("r", .integer(Int64(rank))), JSONMember("selfattn_lora", .bool(!chosen.isEmpty)),
        JSONMember("use_dora", false), JSONMember("use_gating", false),
      ]), tensors
    )
  }

  private func foreign(_ change: WeightChange) -> CheckpointError {
    refuse("AdapterHub has no such change of \(change.target) beside the others")
  }

  /// The layer and the place inside it, one of AdapterHub's five.
  private func position(_ change: WeightChange) throws -> (Int, String) {
    let parts = change.target.split(separator: ".", maxSplits: 3).map(String.init)
    let known = AdapterHubWriter.matrices.map(\.0) + ["intermediate.dense", "output.dense"]
    guard parts.count == 4, let layer = Int(parts[2]), known.contains(parts[3]) else {
      throw foreign(change)
    }
    return (layer, parts[3])
  }
}
