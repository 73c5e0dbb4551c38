import EncoderModel
import Kernels
import TestSupport
import Testing

/// The element types every comparison runs in, with the agreement asked of each.
enum Precision: CaseIterable, CustomTestStringConvertible {
  case double, float
  var testDescription: String { self == .double ? "Double" : "Float" }
}

/// The models of generate.py.
enum GoldenCase: String, CaseIterable, CustomTestStringConvertible {
  case gelu = "mlm_gelu"
  case geluNew = "mlm_gelu_new"
  var testDescription: String { rawValue }
}

/// The tiny `BertForMaskedLM` of generate.py with its batch, in either precision.
final class GoldenModel<S: KernelScalar> {
  let golden: GoldenTensors
  let encoder: TextEncoder
  let head: MaskedTokenHead
  let weights: ParameterStore<S>
  let gradients: ParameterStore<S>
  let arena = Arena<S>(capacity: 1 << 20)
  let batch: PackedBatch
  let masked: [Int32]
  let targets: [Int32]

  init(_ model: GoldenCase) throws {
    BLAS.useSingleThread()
    golden = try GoldenTensors(model.rawValue)
    var table = ParameterTable()
    encoder = TextEncoder(
      EncoderConfiguration(
        vocabularySize: 50, hiddenSize: 16, layerCount: 2, headCount: 2, intermediateSize: 32,
        activation: model == .gelu ? .gelu : .geluNew, maximumPositions: 24), in: &table)
    head = MaskedTokenHead(encoder, in: &table)
    weights = ParameterStore(table)
    gradients = ParameterStore(table)
    for entry in table.entries { try weights.fill(entry, golden, "weights/" + entry.name) }
    batch = try PackedBatch(golden)
    masked = try golden.integers("masked")
    targets = try golden.integers("targets")
  }

  var width: Int { encoder.configuration.hiddenSize }

  /// Mean loss over the masked positions; the gradients are those of this mean.
  func run() -> (loss: Double, correct: Int) {
    arena.reset()
    gradients.zero()
    let saved = encoder.forward(batch, weights: weights, arena: arena, dropout: nil)
    let dHidden = arena.take(batch.tokenCount * width)
    dHidden.update(repeating: 0, count: batch.tokenCount * width)
    let outcome = head.run(
      hidden: saved.output, positions: masked, targets: targets, weights: weights,
      gradients: gradients, dHidden: dHidden, gradientScale: 1 / S(masked.count), arena: arena)
    encoder.backward(
      dOutput: dHidden, saved: saved, batch: batch, weights: weights, gradients: gradients,
      arena: arena, dropout: nil)
    return (outcome.loss / Double(masked.count), outcome.correct)
  }
}

extension PackedBatch {
  /// The packed batch of a golden file.
  init(_ golden: GoldenTensors) throws {
    self.init()
    let (ids, types) = (try golden.integers("ids"), try golden.integers("types"))
    let offsets = try golden.integers("offsets")
    for (start, end) in zip(offsets, offsets.dropFirst()) {
      append(ids[Int(start)..<Int(end)], typeIDs: Array(types[Int(start)..<Int(end)]))
    }
  }

  /// The sequence at `index` as a batch of its own.
  func alone(_ index: Int) -> PackedBatch {
    let range = Int(offsets[index])..<Int(offsets[index + 1])
    var batch = PackedBatch()
    batch.append(ids[range], typeIDs: typeIDs.map { Array($0[range]) })
    return batch
  }
}

extension ParameterStore {
  /// Copies a golden tensor into an entry; throws when the shapes differ.
  func fill(_ entry: Parameter, _ golden: GoldenTensors, _ name: String) throws {
    let shape = try golden.shape(name)
    guard shape == entry.shape else {
      throw GoldenTensors.Failure(description: "\(name): \(shape) against \(entry.shape)")
    }
    for (i, value) in try golden.values(name).enumerated() { self[entry][i] = Scalar(value) }
  }

  /// The elements of an entry.
  func array(_ entry: Parameter) -> [Scalar] {
    Array(UnsafeBufferPointer(start: self[entry], count: entry.count))
  }
}

/// The first `count` elements as an array.
func array<S>(_ pointer: UnsafePointer<S>, _ count: Int) -> [S] {
  Array(UnsafeBufferPointer(start: pointer, count: count))
}

/// Expects a tensor to agree with its golden within `tolerance` of the golden's largest magnitude,
/// or of `floor` where the golden is smaller than that throughout.
func expectTensor<S: KernelScalar>(
  _ actual: [S], _ expected: [Double], tolerance: Double, floor: Double = 0.1, _ label: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let scale = expected.reduce(floor) { max($0, abs($1)) }
  expectClose(
    actual.map { Double($0) }, expected, absolute: tolerance * scale, label,
    sourceLocation: sourceLocation)
}
