/// An ONNX graph as it is put together: nodes in the order of execution, and constants.
///
/// Field numbers are those of onnx.proto (github.com/onnx/onnx); operators those of opset 17, the first with
/// LayerNormalization.
struct ONNXGraph {
  /// A value of a node's attribute.
  enum Attribute {
    case integer(Int64)
    case integers([Int64])
    case float(Float)
  }

  /// The elements of a constant.
  enum Content {
    case integers([Int64])
    case floats([Float])
    /// A parameter, (rows, columns) or, for one of a single dimension, one row; `isTransposed` writes it
    /// as (columns, rows).
    case parameter(UnsafePointer<Float>, rows: Int, columns: Int, isTransposed: Bool)
  }

  /// A constant of the graph.
  struct Initializer {
    let name: String
    let shape: [Int]
    let type: ElementType
    let content: Content

    /// Number of elements.
    var count: Int { shape.reduce(1, *) }
  }

  /// Element types by their numbers in ONNX.
  enum ElementType: Int64 {
    case float = 1
    case int64 = 7
    case bool = 9
    case float16 = 10
    case bfloat16 = 16

    var byteCount: Int {
      switch self {
      case .float: 4
      case .int64: 8
      case .bool: 1
      case .float16, .bfloat16: 2
      }
    }
  }

  static let opset: Int64 = 17

  private(set) var initializers: [Initializer] = []
  /// Everything of the GraphProto but the initializers.
  private(set) var message = ProtobufMessage()
  private let weightType: ElementType
  private var count = 0

  /// Begins a graph whose parameters are stored as `weightType` and computed with as Float.
  init(name: String, weightType: ElementType) {
    self.weightType = weightType
    message.appendText(2, name)
  }

  /// Adds a node and returns the name of its one output.
  mutating func node(
    _ operation: String, _ inputs: String..., attributes: [(String, Attribute)] = [],
    output: String? = nil
  ) -> String {
    node(operation, inputs: inputs, attributes: attributes, output: output)
  }

  /// Adds a node with any number of inputs.
  mutating func node(
    _ operation: String, inputs: [String], attributes: [(String, Attribute)] = [],
    output: String? = nil
  ) -> String {
    count += 1
    let name = output ?? "\(operation)_\(count)"
    var node = ProtobufMessage()
    for input in inputs { node.appendText(1, input) }
    node.appendText(2, name)
    node.appendText(3, "node_\(count)")
    node.appendText(4, operation)
    for (key, value) in attributes { node.append(5, ONNXGraph.attribute(key, value)) }
    message.append(1, node)
    return name
  }

  private static func attribute(_ name: String, _ value: Attribute) -> ProtobufMessage {
    var message = ProtobufMessage()
    message.appendText(1, name)
    switch value {
    case .float(let number):
      message.appendFloat(2, number)
      message.appendInteger(20, 1)
    case .integer(let number):
      message.appendInteger(3, number)
      message.appendInteger(20, 2)
    case .integers(let numbers):
      for number in numbers { message.appendInteger(8, number) }
      message.appendInteger(20, 7)
    }
    return message
  }

  /// Adds a list of whole numbers, such as a shape or axes.
  mutating func integers(_ values: [Int64]) -> String {
    count += 1
    let name = "integers_\(count)"
    initializers.append(
      Initializer(name: name, shape: [values.count], type: .int64, content: .integers(values)))
    return name
  }

  /// Adds a single Float, which broadcasts to any shape.
  mutating func scalar(_ value: Float) -> String {
    count += 1
    let name = "scalar_\(count)"
    initializers.append(Initializer(name: name, shape: [], type: .float, content: .floats([value])))
    return name
  }

  /// Adds values under a name, stored as the parameters are.
  mutating func constant(_ name: String, _ values: [Float], _ shape: [Int]) -> String {
    initializers.append(
      Initializer(name: name, shape: shape, type: weightType, content: .floats(values)))
    return weightType == .float ? name : cast(name, to: .float)
  }

  /// Adds a parameter under its own name; a transposed matrix is (inputs, outputs), as MatMul takes it.
  ///
  /// The memory must stay until the file is written. Returns the name of its Float values.
  mutating func parameter(
    _ name: String, _ values: UnsafePointer<Float>, shape: [Int], isTransposed: Bool = false
  ) -> String {
    let (rows, columns) = shape.count == 2 ? (shape[0], shape[1]) : (1, shape.reduce(1, *))
    initializers.append(
      Initializer(
        name: name, shape: isTransposed ? shape.reversed() : shape, type: weightType,
        content: .parameter(values, rows: rows, columns: columns, isTransposed: isTransposed)))
    return weightType == .float ? name : cast(name, to: .float)
  }

  /// Converts to another element type.
  mutating func cast(_ input: String, to type: ElementType) -> String {
    node("Cast", input, attributes: [("to", .integer(type.rawValue))])
  }

  /// Declares an input (field 11) of the graph, its dimensions named or fixed.
  mutating func input(_ name: String, _ type: ElementType, _ dimensions: [Dimension]) {
    message.append(11, ONNXGraph.valueInfo(name, type, dimensions))
  }

  /// Declares an output (field 12) of the graph.
  mutating func output(_ name: String, _ type: ElementType, _ dimensions: [Dimension]) {
    message.append(12, ONNXGraph.valueInfo(name, type, dimensions))
  }

  /// A dimension of an input or output.
  enum Dimension {
    case any(String)
    case fixed(Int)
  }

  private static func valueInfo(
    _ name: String, _ type: ElementType, _ dimensions: [Dimension]
  ) -> ProtobufMessage {
    var shape = ProtobufMessage()
    for dimension in dimensions {
      var message = ProtobufMessage()
      switch dimension {
      case .any(let name): message.appendText(2, name)
      case .fixed(let size): message.appendInteger(1, Int64(size))
      }
      shape.append(1, message)
    }
    var tensor = ProtobufMessage()
    tensor.appendInteger(1, type.rawValue)
    tensor.append(2, shape)
    var kind = ProtobufMessage()
    kind.append(1, tensor)
    var info = ProtobufMessage()
    info.appendText(1, name)
    info.append(2, kind)
    return info
  }
}
