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
    _ directory: URL, adapters options: AdapterOptions, merges: Bool, hasGraph: Bool,
    display: ProgressDisplay
  ) throws {
    if RecommenderDirectory.isRecommender(directory), options.adapter.isEmpty {
      let recommender = try Recommender.load(from: directory, workers: Workers())
      model = recommender.model
      var notices = ["the item tower, users and catalogue stay in \(directory.path)"]
      if recommender.adapters != nil, !merges {
        notices.append("the adapters were left out; --merge keeps them")
      }
      self.notices = notices
      (product, weights, graphAdapters) = try ExportSource.parts(
        model, merges ? recommender.adapters : nil, directory, merges: merges, hasGraph: hasGraph,
        plain: .encoder)
      return
    }
    let source =
      RecommenderDirectory.isRecommender(directory)
      ? directory.appendingPathComponent("base") : directory
    let heads = merges ? .none : try PretrainedModel.storedHeads(in: source)
    let hasHead = heads.contains(.maskedTokens)
    model = try PretrainedModel.load(
      from: source, heads: hasHead ? heads : .none, storage: .mapping)
    notices = []
    (product, weights, graphAdapters) = try ExportSource.parts(
      model, options.load(over: model, display), directory, merges: merges, hasGraph: hasGraph,
      plain: hasHead ? .maskedLanguageModel : .encoder)
  }

  private typealias Parts = (PretrainedModel.Product, ParameterStore<Float>?, AdapterStack<Float>?)

  /// Folds adapters into weights where that is possible, and into the graph where it isn't.
  private static func parts(
    _ model: PretrainedModel, _ adapters: AdapterStack<Float>?, _ directory: URL, merges: Bool,
    hasGraph: Bool, plain: PretrainedModel.Product
  ) throws -> Parts {
    guard merges else { return (plain, nil, nil) }
    guard let adapters else {
      throw CLIError(
        "there are no adapters to merge: \(directory.path); leave --merge out, or name adapters with "
          + "--adapter")
    }
    guard adapters.hasBottlenecks else {
      return (.encoder, try adapters.merged(into: model.weights), nil)
    }
    guard hasGraph else {
      throw CLIError(
        "bottleneck adapters add layers and can't be folded into weights: \(directory.path); add "
          + "--onnx, whose graph can hold them, or leave --merge out")
    }
    return (.graphOnly, nil, adapters)
  }

  /// What was written, in a few words.
  var summary: String {
    switch product {
    case .encoder: weights == nil ? "the encoder" : "the encoder with its adapters folded in"
    case .maskedLanguageModel: "the encoder and its masked-token head"
    case .graphOnly: "an ONNX graph of encoder and adapters"
    }
  }
}
