public import EncoderModel
import Foundation
import Kernels

extension PretrainedModel {
  /// What an ONNX graph beside a model's files holds.
  public struct Graph: Sendable {
    /// Bottleneck adapters, which become nodes of the graph; they have no place in the weights' file.
    public var adapters: AdapterStack<Float>?

    /// The encoder, with adapters where given.
    public init(adapters: AdapterStack<Float>? = nil) { self.adapters = adapters }
  }

  /// Where sentence-transformers and text-embeddings-inference look for it.
  static let graphFile = "onnx/model.onnx"

  /// Writes the graph into a folder and returns its name there.
  func write(
    _ graph: Graph, _ weights: ParameterStore<Float>, _ type: TensorType, to folder: URL
  ) throws -> String {
    let elements: ONNXGraph.ElementType =
      switch type {
      case .float16: .float16
      case .bfloat16: .bfloat16
      default: .float
      }
    let url = folder.appendingPathComponent(PretrainedModel.graphFile)
    try FileSystem.createDirectory(url.deletingLastPathComponent())
    let documentation =
      "BERT encoder, \(sentence.pooling.modes.map(\.rawValue).joined(separator: " + ")) pooling"
      + (sentence.normalize ? ", vectors of length 1" : "")
    // The graph points into both stores until it is written.
    try withExtendedLifetime((weights, graph.adapters)) {
      try ONNXFile.write(
        ONNXEncoder.graph(self, weights, adapters: graph.adapters, type: elements),
        documentation: documentation, to: url)
    }
    return PretrainedModel.graphFile
  }
}
