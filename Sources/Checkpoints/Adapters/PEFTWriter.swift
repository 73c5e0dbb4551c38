import EncoderModel
import Foundation
import Kernels
import Tokenization

/// Puts an adapter into PEFT's terms: LoRA, with `bias: "all"` where biases learn too, or IA3.
struct PEFTWriter {
  let stack: AdapterStack<Float>
  let baseName: String?
  let place: URL
  private static let prefix = "base_model.model."

  func contents(
    _ base: ParameterStore<Float>
  ) throws -> (JSONValue, [OutgoingTensor]) {
    guard !stack.hasBottlenecks, !stack.replacesAll else {
      throw refuse("PEFT has no such adapters")
    }
    let factors = stack.changes.filter {
      switch $0.rule {
      case .scaledInputs, .scaledOutputs: true
      case .lowRank, .replacement: false
      }
    }
    guard factors.isEmpty || factors.count == stack.changes.count else {
      throw refuse("PEFT has no factors beside other changes")
    }
    return try factors.isEmpty ? lora(base) : (ia3(factors), factorTensors(factors))
  }

  private func refuse(_ what: String) -> CheckpointError {
    AdapterDirectory.inexpressible(what, .peft, place)
  }

  private func common(_ type: String, targets: [String]) -> [JSONMember] {
    [
      JSONMember("peft_type", .string(type)), JSONMember("task_type", "FEATURE_EXTRACTION"),
      JSONMember("base_model_name_or_path", baseName.map { .string($0) } ?? .null),
      JSONMember("target_modules", .array(targets.map { .string($0) })),
      JSONMember("fan_in_fan_out", false), JSONMember("modules_to_save", nil),
      JSONMember("inference_mode", true), JSONMember("revision", nil),
    ]
  }

  private func lora(_ base: ParameterStore<Float>) throws -> (JSONValue, [OutgoingTensor]) {
    var targets: [String] = []
    var tensors: [OutgoingTensor] = []
    var shared: (rank: Int, scale: Double)?
    for change in stack.changes {
      guard case .lowRank(let a, let b, let rank, let scale) = change.rule else { continue }
      guard shared.map({ $0.rank == rank && abs($0.scale - scale) < 1e-9 }) ?? true else {
        throw refuse("the changes differ in rank or scale")
      }
      shared = (rank, scale)
      targets.append(change.target)
      let scope = PEFTWriter.prefix + change.target
      let (rows, columns) = (change.weight.shape[0], change.weight.shape[1])
      tensors.append(
        .init("\(scope).lora_A.weight", shape: [rank, columns], a, stack.weights))
      tensors.append(.init("\(scope).lora_B.weight", shape: [rows, rank], b, stack.weights))
    }
    let replaced = stack.changes.filter {
      if case .replacement = $0.rule { true } else { false }
    }
    if targets.isEmpty, let first = base.table.entries.first(where: { isProjection($0.name) }) {
      // PEFT has no adapter of biases alone: a change of rank 1 that is 0 carries them.
      let module = String(first.name.dropLast(".weight".count))
      let scope = PEFTWriter.prefix + module
      targets = [module]
      shared = (1, 1)
      for (name, shape) in [("lora_A", [1, first.shape[1]]), ("lora_B", [first.shape[0], 1])] {
        tensors.append(
          .init(
            "\(scope).\(name).weight", shape: shape,
            [Float](repeating: 0, count: shape[0] * shape[1])))
      }
    }
    for change in replaced {
      guard change.target.hasSuffix(".bias"), case .replacement(let value) = change.rule else {
        throw refuse("only biases can be replaced: \(change.target)")
      }
      let module = String(change.target.dropLast(".bias".count))
      let inner = targets.contains(module) ? "\(module).base_layer.bias" : change.target
      tensors.append(
        .init(PEFTWriter.prefix + inner, shape: change.weight.shape, value, stack.weights))
    }
    let (rank, scale) = shared ?? (1, 1)
    let alpha = scale * Double(rank)
    let isWhole = alpha == alpha.rounded() && abs(alpha) < 1e6
    let config =
      common("LORA", targets: targets) + [
        JSONMember("r", .integer(Int64(rank))),
        JSONMember("lora_alpha", isWhole ? .integer(Int64(alpha)) : .number(alpha)),
        JSONMember("lora_dropout", 0.0),
        JSONMember("bias", replaced.isEmpty ? "none" : "all"),
      ]
    return (.object(config), tensors)
  }

  private func isProjection(_ name: String) -> Bool {
    name.hasSuffix(".attention.self.query.weight")
  }

  private func ia3(_ factors: [WeightChange]) -> JSONValue {
    let inputs = factors.filter {
      if case .scaledInputs = $0.rule { true } else { false }
    }
    let config =
      common("IA3", targets: factors.map(\.target)) + [
        JSONMember("feedforward_modules", .array(inputs.map { .string($0.target) }))
      ]
    return .object(config)
  }

  /// Factors as PEFT has them, without a scale of their own.
  private func factorTensors(_ changes: [WeightChange]) -> [OutgoingTensor] {
    changes.compactMap { change in
      let name = "\(PEFTWriter.prefix)\(change.target).ia3_l"
      switch change.rule {
      case .scaledInputs(let factors):
        return .init(name, shape: [1, factors.count], factors, stack.weights)
      case .scaledOutputs(let factors, let scale):
        let values = (0..<factors.count).map { stack.weights[factors][$0] * Float(scale) }
        return .init(name, shape: [factors.count, 1], values)
      case .lowRank, .replacement: return nil
      }
    }
  }
}
