import EncoderModel
import Kernels

/// Collects the weight changes of a file before their store exists, and refuses two of one tensor.
struct ChangeBuilder {
  private let model: PretrainedModel
  private var table = ParameterTable()
  private var changes: [WeightChange] = []
  private var sources: [(Parameter, TensorDescription)] = []
  private var changed: [Range<Int>] = []

  init(_ model: PretrainedModel) { self.model = model }

  mutating func lowRank(
    _ target: String, a: TensorDescription, b: TensorDescription, _ tensors: AdapterTensors,
    scale: (Int) -> Double
  ) throws {
    guard let weight = model.weights.table["\(target).weight"], weight.shape.count == 2 else {
      throw unknown(a, tensors)
    }
    let rank = a.shape.first ?? 0
    guard rank > 0, a.shape == [rank, weight.shape[1]] else {
      throw tensors.wrongShape(a, [max(rank, 1), weight.shape[1]])
    }
    guard b.shape == [weight.shape[0], rank] else {
      throw tensors.wrongShape(b, [weight.shape[0], rank])
    }
    try add(
      WeightChange.lowRank(
        target, rank: rank, scale: scale(rank), base: model.weights.table, in: &table),
      [a, b], tensors)
  }

  mutating func factors(
    _ target: String, _ tensor: TensorDescription, ofInputs: Bool, scale: Double = 1,
    _ tensors: AdapterTensors
  ) throws {
    guard scale != 0 else {
      throw CheckpointError(
        "a factor of 0 leaves nothing of the layer", path: tensors.file.url.path,
        item: tensor.name, advice: "check alpha in the configuration")
    }
    try add(
      WeightChange.factors(
        target, ofInputs: ofInputs, scale: scale, base: model.weights.table, in: &table),
      [tensor], tensors)
  }

  mutating func replacement(
    _ name: String, _ tensor: TensorDescription, _ tensors: AdapterTensors
  ) throws {
    guard table[name] == nil else { throw twice(tensor, tensors) }
    try add(
      WeightChange.replacement(name, base: model.weights.table, in: &table), [tensor], tensors)
  }

  private mutating func add(
    _ change: WeightChange?, _ found: [TensorDescription], _ tensors: AdapterTensors
  ) throws {
    guard let change else { throw unknown(found[0], tensors) }
    for range in change.ranges {
      guard !changed.contains(where: { $0.overlaps(range) }) else {
        throw twice(found[0], tensors)
      }
      changed.append(range)
    }
    changes.append(change)
    let entries = table.entries.suffix(found.count)
    for (entry, tensor) in zip(entries, found) {
      guard entry.shape == tensor.shape else { throw tensors.wrongShape(tensor, entry.shape) }
      sources.append((entry, tensor))
    }
  }

  private func twice(_ tensor: TensorDescription, _ tensors: AdapterTensors) -> CheckpointError {
    CheckpointError(
      "the tensor is changed twice", path: tensors.file.url.path, item: tensor.name,
      advice: "merge one of the changes into the base first")
  }

  private func unknown(_ tensor: TensorDescription, _ tensors: AdapterTensors) -> CheckpointError {
    CheckpointError(
      "the encoder has no such layer", path: tensors.file.url.path, item: tensor.name,
      advice: "check that the adapter was made for this model")
  }

  /// Reads all values and pairs them with the base.
  func finish(_ tensors: AdapterTensors) throws -> AdapterStack<Float> {
    let store = ParameterStore<Float>(table)
    for (entry, tensor) in sources { try tensors.read(tensor, into: store, entry) }
    // A low-rank change without values says nothing and can't learn: files of biases alone carry one.
    let speaking = changes.filter { change in
      guard case .lowRank(let a, let b, _, _) = change.rule else { return true }
      return [a, b].contains { handle in (0..<handle.count).contains { store[handle][$0] != 0 } }
    }
    return AdapterStack(
      changes: speaking, weights: store, encoder: model.encoder, base: model.weights)
  }
}
