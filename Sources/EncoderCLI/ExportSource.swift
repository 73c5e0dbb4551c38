import Checkpoints
import EncoderModel
import Foundation
import Kernels
import Recommendation

/// What `encoder export` writes: a model, which part of it, and what becomes of adapters.
struct ExportSource {
  let model: PretrainedModel
  let product: PretrainedModel.Product
  /// Weights with adapters folded in, instead of the model's own.
  let weights: ParameterStore<Float>?
  /// Adapters that become nodes of the ONNX graph.
  let graphAdapters: AdapterStack<Float>?
  /// What the user should know about the result.
  let notices: [String]

  /// - Throws: ``CLIError`` where adapters were to be merged and can't be.
  init(_ directory: URL, merges: Bool, hasGraph: Bool) throws {
    var notices: [String] = []
    guard RecommenderDirectory.isRecommender(directory) else {
      if merges {
        throw CLIError(
          "there are no adapters to merge: \(directory.path); leave --merge out, or name a fine-tuned "
            + "model")
      }
      let heads = try PretrainedModel.storedHeads(in: directory)
      let hasHead = heads.contains(.maskedTokens)
      model = try PretrainedModel.load(
        from: directory, heads: hasHead ? heads : .none, storage: .mapping)
      product = hasHead ? .maskedLanguageModel : .encoder
      (weights, graphAdapters) = (nil, nil)
      self.notices = notices
      return
    }
    let recommender = try Recommender.load(from: directory, workers: Workers())
    model = recommender.model
    weights = nil
    if merges {
      guard let adapters = recommender.adapters else {
        throw CLIError(
          "there are no adapters to merge: \(directory.path); fine-tuning left them out, so leave "
            + "--merge out too")
      }
      guard hasGraph else {
        throw CLIError(
          "bottleneck adapters can't be folded into weights: \(directory.path); add --onnx, or leave "
            + "--merge out")
      }
      graphAdapters = adapters
      product = .graphOnly
    } else {
      graphAdapters = nil
      product = .encoder
      if recommender.adapters != nil {
        notices.append("the adapters were left out; --merge keeps them")
      }
    }
    notices.append("the item tower, users and catalogue stay in \(directory.path)")
    self.notices = notices
  }

  /// What was written, in a few words.
  var summary: String {
    switch product {
    case .encoder: "the encoder"
    case .maskedLanguageModel: "the encoder and its masked-token head"
    case .graphOnly: "an ONNX graph of encoder and adapters"
    }
  }
}
