import Foundation

/// Writes a graph as a `.onnx` file, the large constants streamed.
enum ONNXFile {
  /// Protocol buffers can't hold more in one message.
  private static let maximumSize = Int(Int32.max)

  /// - Throws: ``CheckpointError`` when the file would be larger than 2 GB, a weight doesn't fit its type,
  ///   or the disk fails.
  static func write(_ graph: ONNXGraph, documentation: String, to url: URL) throws {
    let heads = graph.initializers.map(head)
    let sizes = zip(graph.initializers, heads).map { $1.bytes.count + $0.count * $0.type.byteCount }
    var prefixes: [ProtobufMessage] = []
    for size in sizes {
      var prefix = ProtobufMessage()
      prefix.appendPrefix(5, length: size)
      prefixes.append(prefix)
    }
    let length =
      graph.message.bytes.count + sizes.reduce(0, +)
      + prefixes.reduce(0) { $0 + $1.bytes.count }
    guard length < maximumSize else {
      throw CheckpointError(
        "an ONNX file holds less than 2 GB and this one needs \(length) bytes", path: url.path,
        advice: "write it with --dtype f16")
    }
    let file = try PendingFile(url)
    try file.append(model(documentation, graphLength: length).bytes)
    try file.append(graph.message.bytes)
    for (index, initializer) in graph.initializers.enumerated() {
      try file.append(prefixes[index].bytes)
      try file.append(heads[index].bytes)
      try append(initializer, to: file, url)
    }
    try file.commit()
  }

  /// The ModelProto up to its graph, which is the last field.
  private static func model(_ documentation: String, graphLength: Int) -> ProtobufMessage {
    var opset = ProtobufMessage()
    opset.appendText(1, "")
    opset.appendInteger(2, ONNXGraph.opset)
    var model = ProtobufMessage()
    model.appendInteger(1, 8)
    model.appendText(2, "encoder")
    model.appendText(6, documentation)
    model.append(8, opset)
    model.appendPrefix(7, length: graphLength)
    return model
  }

  /// A TensorProto up to the bytes of its `raw_data`.
  private static func head(_ initializer: ONNXGraph.Initializer) -> ProtobufMessage {
    var message = ProtobufMessage()
    for size in initializer.shape { message.appendInteger(1, Int64(size)) }
    message.appendInteger(2, initializer.type.rawValue)
    message.appendText(8, initializer.name)
    message.appendPrefix(9, length: initializer.count * initializer.type.byteCount)
    return message
  }

  private static func append(
    _ initializer: ONNXGraph.Initializer, to file: PendingFile, _ url: URL
  ) throws {
    switch initializer.content {
    case .integers(let values):
      try values.map(\.littleEndian).withUnsafeBytes { try file.append($0) }
    case .floats(let values):
      try values.withUnsafeBufferPointer { try append($0, initializer, to: file, url) }
    case .parameter(let values, let rows, let columns, let isTransposed):
      guard isTransposed else {
        let all = UnsafeBufferPointer(start: values, count: rows * columns)
        return try append(all, initializer, to: file, url)
      }
      var column = [Float](repeating: 0, count: rows)
      for c in 0..<columns {
        for r in 0..<rows { column[r] = values[r * columns + c] }
        try column.withUnsafeBufferPointer { try append($0, initializer, to: file, url) }
      }
    }
  }

  private static func append(
    _ values: UnsafeBufferPointer<Float>, _ initializer: ONNXGraph.Initializer,
    to file: PendingFile, _ url: URL
  ) throws {
    let part = 1 << 16
    for start in stride(from: 0, to: values.count, by: part) {
      let slice = UnsafeBufferPointer(rebasing: values[start..<min(start + part, values.count)])
      switch initializer.type {
      case .float16:
        if let large = slice.first(where: { $0.magnitude >= 65520 }) {
          throw CheckpointError(
            "the value \(large) is too large for F16", path: url.path, item: initializer.name,
            advice: "write BF16 or F32")
        }
        try slice.map { Half.bits($0).littleEndian }.withUnsafeBytes { try file.append($0) }
      case .bfloat16:
        try slice.map { Half.brainBits($0).littleEndian }.withUnsafeBytes { try file.append($0) }
      default: try file.append(UnsafeRawBufferPointer(slice))
      }
    }
  }
}
