import Checkpoints
import EncoderModel
import Foundation
import Kernels

/// The adapters that `Tests/Goldens/adapters/generate.py` saved with AdapterHub's and PEFT's libraries, and
/// what they give over the model `mlm`.
struct AdapterGoldens: Decodable {
  let sequences: [[Int32]]
  let hidden: [String: [Float]]
  let parameters: [String: Int]

  static let folder = Goldens.folder.deletingLastPathComponent().appendingPathComponent("adapters")

  static let hub = [
    "hub_seq_bn", "hub_double_seq_bn", "hub_par_bn", "hub_mixed", "hub_lora", "hub_ia3",
  ]
  static let peft = [
    "peft_lora", "peft_rslora", "peft_biases", "peft_saved", "peft_ia3", "peft_layernorm",
  ]

  static func load() throws -> AdapterGoldens {
    try JSONDecoder().decode(
      AdapterGoldens.self, from: Data(contentsOf: folder.appendingPathComponent("expected.json")))
  }

  static func directory(_ name: String) -> URL { folder.appendingPathComponent(name) }

  static func base() throws -> PretrainedModel {
    BLAS.useSingleThread()
    return try PretrainedModel.load(from: Goldens.directory("mlm"))
  }

  /// The last layer's output of the golden sequences, (tokens, H).
  func states(_ model: PretrainedModel, _ stack: AdapterStack<Float>?) -> [Float] {
    states(model, weights: model.weights, stack)
  }

  /// The same with other weights of the model.
  func states(
    _ model: PretrainedModel, weights: ParameterStore<Float>, _ stack: AdapterStack<Float>? = nil
  ) -> [Float] {
    let batch = PackedBatch(sequences)
    let arena = Arena<Float>()
    let hidden = model.encoder.infer(batch, weights: weights, adapters: stack, arena: arena)
    return Array(
      UnsafeBufferPointer(start: hidden, count: batch.tokenCount * model.configuration.hiddenSize))
  }
}
