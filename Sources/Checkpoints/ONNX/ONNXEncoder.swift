import EncoderModel
import Kernels

/// Builds the ONNX graph of an encoder: token ids and masks -> hidden states and vectors.
///
/// Inputs are `input_ids`, `attention_mask` and `token_type_ids`, (batch, sequence) of Int64; outputs
/// `last_hidden_state`, (batch, sequence, H), and `sentence_embedding`, (batch, width). Padding may be on
/// either side.
struct ONNXEncoder {
  private var graph: ONNXGraph
  private let model: PretrainedModel
  private let weights: ParameterStore<Float>
  private let adapters: AdapterStack<Float>?
  private let configuration: EncoderConfiguration

  /// The finished graph; its parameters lie in `weights` and in the store of `adapters`.
  static func graph(
    _ model: PretrainedModel, _ weights: ParameterStore<Float>, adapters: AdapterStack<Float>?,
    type: ONNXGraph.ElementType
  ) throws -> ONNXGraph {
    var encoder = ONNXEncoder(
      graph: ONNXGraph(name: "encoder", weightType: type), model: model, weights: weights,
      adapters: adapters,
      configuration: model.configuration)
    try encoder.build()
    return encoder.graph
  }

  private mutating func build() throws {
    let shape: [ONNXGraph.Dimension] = [.any("batch"), .any("sequence")]
    for name in ["input_ids", "attention_mask", "token_type_ids"] {
      graph.input(name, .int64, shape)
    }
    let mask = graph.cast("attention_mask", to: .float)
    var x = try embeddings()
    let penalty = attentionPenalty(mask)
    for layer in 0..<configuration.layerCount {
      x = try attention(x, layer, penalty)
      x = try feedForward(x, layer)
    }
    let hidden = graph.node("Identity", x, output: "last_hidden_state")
    graph.output(hidden, .float, shape + [.fixed(configuration.hiddenSize)])
    var head = ONNXPooling(graph: graph, mask: mask, hidden: hidden)
    let width = head.build(model.sentence, width: configuration.hiddenSize)
    graph = head.graph
    graph.output("sentence_embedding", .float, [.any("batch"), .fixed(width)])
  }

  /// A tensor of the model's table.
  private mutating func weight(_ name: String, isTransposed: Bool = false) throws -> String {
    try parameter(name, in: weights, isTransposed: isTransposed)
  }

  private mutating func parameter(
    _ name: String, in store: ParameterStore<Float>, isTransposed: Bool
  ) throws -> String {
    guard let parameter = store.table[name] else {
      throw CheckpointError(
        "the model has no such tensor", path: "ONNX graph", item: name,
        advice: "export a model that was loaded from a directory")
    }
    return graph.parameter(
      name, store[parameter], shape: parameter.shape, isTransposed: isTransposed)
  }

  private mutating func linear(
    _ x: String, _ name: String, in store: ParameterStore<Float>? = nil
  ) throws -> String {
    let store = store ?? weights
    let product = graph.node(
      "MatMul", x, try parameter("\(name).weight", in: store, isTransposed: true))
    return graph.node("Add", product, try parameter("\(name).bias", in: store, isTransposed: false))
  }

  /// The scale and shift of a LayerNorm, which adapters use twice.
  private struct Norm {
    let weight: String
    let bias: String
  }

  private mutating func norm(_ name: String) throws -> Norm {
    Norm(weight: try weight("\(name).weight"), bias: try weight("\(name).bias"))
  }

  private mutating func normalized(_ x: String, _ norm: Norm) -> String {
    graph.node(
      "LayerNormalization", x, norm.weight, norm.bias,
      attributes: [
        ("axis", .integer(-1)), ("epsilon", .float(Float(configuration.layerNormEpsilon))),
      ])
  }

  private mutating func embeddings() throws -> String {
    let word = graph.node(
      "Gather", try weight("embeddings.word_embeddings.weight"), "input_ids")
    let type = graph.node("Gather", try weight(TensorNames.tokenTypes), "token_type_ids")
    // The first rows of the position table, as many as the sequences are long.
    let (zero, one, two) = (graph.integers([0]), graph.integers([1]), graph.integers([2]))
    let sizes = graph.node("Shape", "input_ids")
    let length = graph.node("Slice", sizes, one, two)
    let position = graph.node(
      "Slice", try weight("embeddings.position_embeddings.weight"), zero, length, zero)
    let sum = graph.node("Add", graph.node("Add", word, position), type)
    return normalized(sum, try norm("embeddings.LayerNorm"))
  }

  /// What is added to attention scores: 0 for tokens, the lowest Float for padding, (batch, 1, 1, sequence).
  private mutating func attentionPenalty(_ mask: String) -> String {
    let padding = graph.node("Sub", graph.scalar(1), mask)
    let penalty = graph.node("Mul", padding, graph.scalar(-Float.greatestFiniteMagnitude))
    return graph.node("Unsqueeze", penalty, graph.integers([1, 2]))
  }

  private mutating func attention(
    _ x: String, _ layer: Int, _ penalty: String
  ) throws -> String {
    let scope = "encoder.layer.\(layer).attention"
    let heads = graph.integers([
      0, 0, Int64(configuration.headCount), Int64(configuration.headSize),
    ])
    func split(_ graph: inout ONNXGraph, _ states: String, _ order: [Int64]) -> String {
      let parts = graph.node("Reshape", states, heads)
      return graph.node("Transpose", parts, attributes: [("perm", .integers(order))])
    }
    let query = split(&graph, try linear(x, "\(scope).self.query"), [0, 2, 1, 3])
    let key = split(&graph, try linear(x, "\(scope).self.key"), [0, 2, 3, 1])
    let value = split(&graph, try linear(x, "\(scope).self.value"), [0, 2, 1, 3])
    let scale = graph.scalar(1 / Float(configuration.headSize).squareRoot())
    let scores = graph.node("Mul", graph.node("MatMul", query, key), scale)
    let probabilities = graph.node(
      "Softmax", graph.node("Add", scores, penalty), attributes: [("axis", .integer(-1))])
    let mixed = graph.node(
      "Transpose", graph.node("MatMul", probabilities, value),
      attributes: [("perm", .integers([0, 2, 1, 3]))])
    let context = graph.node(
      "Reshape", mixed, graph.integers([0, 0, Int64(configuration.hiddenSize)]))
    let sum = graph.node("Add", try linear(context, "\(scope).output.dense"), x)
    return normalized(sum, try norm("\(scope).output.LayerNorm"))
  }

  private mutating func feedForward(_ x: String, _ layer: Int) throws -> String {
    let scope = "encoder.layer.\(layer)"
    let inner = graph.activation(
      try linear(x, "\(scope).intermediate.dense"), configuration.activation.function)
    let sum = graph.node("Add", try linear(inner, "\(scope).output.dense"), x)
    let norm = try norm("\(scope).output.LayerNorm")
    let y = normalized(sum, norm)
    guard let adapters, layer < adapters.adapters.count, adapters.adapters[layer] != nil else {
      return y
    }
    return try adapter(y, sum: sum, layer, norm, adapters.weights)
  }

  /// LN(sum + up(relu(down(LN(sum))))), see ``BottleneckAdapter``.
  private mutating func adapter(
    _ y: String, sum: String, _ layer: Int, _ norm: Norm, _ store: ParameterStore<Float>
  ) throws -> String {
    let prefix = "encoder.layer.\(layer).output.adapters."
    let suffix = ".adapter_up.weight"
    guard
      let up = store.table.entries.first(where: {
        $0.name.hasPrefix(prefix) && $0.name.hasSuffix(suffix)
      })
    else { return y }
    let scope = String(up.name.dropLast(suffix.count))
    let down = graph.activation(
      try linear(y, "\(scope).adapter_down.0", in: store), .relu)
    let change = try linear(down, "\(scope).adapter_up", in: store)
    return normalized(graph.node("Add", sum, change), norm)
  }
}
