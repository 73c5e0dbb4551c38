import EncoderModel
import Kernels

/// The part of the graph above the encoder: pooling, dense layers, length 1.
struct ONNXPooling {
  private(set) var graph: ONNXGraph
  /// 1 for tokens and 0 for padding, (batch, sequence) of Float.
  private let mask: String
  /// Hidden states, (batch, sequence, H).
  private let hidden: String
  private var memory: [String: String] = [:]

  init(graph: ONNXGraph, mask: String, hidden: String) {
    self.graph = graph
    self.mask = mask
    self.hidden = hidden
  }

  /// Adds the nodes up to the output `sentence_embedding` and returns its width.
  mutating func build(_ settings: SentenceSettings, width: Int) -> Int {
    let parts = settings.pooling.modes.map { pooled($0) }
    var x =
      parts.count == 1
      ? parts[0] : graph.node("Concat", inputs: parts, attributes: [("axis", .integer(1))])
    var width = settings.pooling.outputWidth(width)
    for (index, projection) in settings.projections.enumerated() {
      x = dense(x, projection, name: "dense.\(index)")
      width = projection.outputs
    }
    if settings.normalize {
      let norm = graph.node(
        "ReduceL2", x, attributes: [("axes", .integers([1])), ("keepdims", .integer(1))])
      x = graph.node("Div", x, graph.node("Max", norm, graph.scalar(1e-12)))
    }
    _ = graph.node("Identity", x, output: "sentence_embedding")
    return width
  }

  private mutating func pooled(_ mode: Pooling) -> String {
    switch mode {
    case .cls:
      // The first token: where the running count of tokens is 1.
      return weightedSum(selection(of: graph.scalar(1)))
    case .lastToken: return weightedSum(selection(of: total(mask)))
    case .max:
      let isToken = graph.cast(column(mask), to: .bool)
      let states = graph.node("Where", isToken, hidden, graph.scalar(-.greatestFiniteMagnitude))
      return graph.node(
        "ReduceMax", states, attributes: [("axes", .integers([1])), ("keepdims", .integer(0))])
    case .mean: return graph.node("Div", weightedSum(mask), total(mask))
    case .meanSquareRoot:
      return graph.node("Div", weightedSum(mask), graph.node("Sqrt", total(mask)))
    case .weightedMean:
      let weights = graph.node("Mul", positions(), mask)
      return graph.node("Div", weightedSum(weights), total(weights))
    }
  }

  /// The place of each token among the tokens, from 1.
  private mutating func positions() -> String {
    if let known = memory["positions"] { return known }
    let name = graph.node("CumSum", mask, graph.integers([1]))
    memory["positions"] = name
    return name
  }

  /// 1 where the place is `place`, (batch, sequence) of Float.
  private mutating func selection(of place: String) -> String {
    let found = graph.node("Equal", positions(), place)
    return graph.node("Mul", graph.cast(found, to: .float), mask)
  }

  private mutating func column(_ weights: String) -> String {
    graph.node("Unsqueeze", weights, graph.integers([2]))
  }

  /// The sum of hidden states times weights, (batch, H).
  private mutating func weightedSum(_ weights: String) -> String {
    let product = graph.node("Mul", hidden, column(weights))
    return graph.node(
      "ReduceSum", product, graph.integers([1]), attributes: [("keepdims", .integer(0))])
  }

  /// The sum of weights, (batch, 1), never below sentence-transformers' 1e-9.
  private mutating func total(_ weights: String) -> String {
    let sum = graph.node(
      "ReduceSum", weights, graph.integers([1]), attributes: [("keepdims", .integer(1))])
    return graph.node("Max", sum, graph.scalar(1e-9))
  }

  private mutating func dense(_ x: String, _ layer: VectorProjection, name: String) -> String {
    let weight = graph.constant(
      "\(name).weight", VectorProjectionLayout.transposed(layer), [layer.inputs, layer.outputs])
    var y = graph.node("MatMul", x, weight)
    if let bias = layer.bias {
      y = graph.node("Add", y, graph.constant("\(name).bias", bias, [layer.outputs]))
    }
    return graph.activation(y, layer.activation)
  }
}

/// A dense layer's matrix as ONNX's MatMul takes it.
private enum VectorProjectionLayout {
  static func transposed(_ layer: VectorProjection) -> [Float] {
    (0..<layer.inputs).flatMap { input in
      (0..<layer.outputs).map { layer.weight[$0 * layer.inputs + input] }
    }
  }
}

extension ONNXGraph {
  /// Adds an activation as the nodes of its formula.
  mutating func activation(_ x: String, _ kind: ActivationKind) -> String {
    switch kind {
    case .identity: return x
    case .relu: return node("Relu", x)
    case .tanh: return node("Tanh", x)
    case .swish: return node("Mul", x, node("Sigmoid", x))
    case .gelu:
      let erf = node("Erf", node("Mul", x, scalar(Float(0.5).squareRoot())))
      return half(x, times: erf)
    case .geluTanh:
      let cube = node("Mul", node("Mul", x, x), x)
      let inner = node("Add", x, node("Mul", cube, scalar(0.044715)))
      let scale = scalar((2 / Float.pi).squareRoot())
      return half(x, times: node("Tanh", node("Mul", inner, scale)))
    }
  }

  /// x / 2 * (1 + y).
  private mutating func half(_ x: String, times y: String) -> String {
    let sum = node("Add", y, scalar(1))
    return node("Mul", node("Mul", x, scalar(0.5)), sum)
  }
}

extension EncoderConfiguration.Activation {
  /// The function, among those that ``ONNXGraph/activation(_:_:)`` has nodes for.
  var function: ActivationKind {
    switch self {
    case .gelu: .gelu
    case .geluNew, .geluTanh: .geluTanh
    case .relu: .relu
    }
  }
}
