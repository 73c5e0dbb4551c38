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
  init(
    _ directory: URL, merges: Bool, hasGraph: Bool, adapter options: AdapterOptions,
    display: ProgressDisplay
  ) throws {
    var notices: [String] = []
    if !options.adapter.isEmpty {
      let isRecommender = RecommenderDirectory.isRecommender(directory)
      model = try PretrainedModel.load(
        from: isRecommender ? directory.appendingPathComponent("base") : directory)
      (weights, graphAdapters, product) = try ExportSource.fold(
        options.load(over: model, display), model, hasGraph: hasGraph,
        place: options.adapter.joined(separator: " "))
      self.notices = notices
      return
    }
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
    if merges {
      guard let adapters = recommender.adapters else {
        throw CLIError(
          "there are no adapters to merge: \(directory.path); fine-tuning left them out, so leave "
            + "--merge out too")
      }
      (weights, graphAdapters, product) = try ExportSource.fold(
        adapters, model, hasGraph: hasGraph, place: directory.path)
    } else {
      (weights, graphAdapters, product) = (nil, nil, .encoder)
      if recommender.adapters != nil {
        notices.append("the adapters were left out; --merge keeps them")
      }
    }
    notices.append("the item tower, users and catalogue stay in \(directory.path)")
    self.notices = notices
  }

  /// Weights with an adapter in them, or the adapter as nodes of a graph where it adds layers.
  private static func fold(
    _ adapters: AdapterStack<Float>?, _ model: PretrainedModel, hasGraph: Bool, place: String
  ) throws -> (ParameterStore<Float>?, AdapterStack<Float>?, PretrainedModel.Product) {
    guard let adapters else { return (nil, nil, .encoder) }
    guard adapters.hasBottlenecks else {
      return (try adapters.merged(into: model.weights), nil, .encoder)
    }
    guard hasGraph else {
      throw CLIError(
        "bottleneck adapters can't be folded into weights: \(place); add --onnx, or leave "
          + "--merge out")
    }
    return (nil, adapters, .graphOnly)
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
