public import Foundation

/// Writes a safetensors file as a stream: the header first, then the tensors in the order declared.
///
/// The file appears under its name, complete, with ``finish()``; until then nothing of that name
/// changes.
public final class SafeTensorsWriter {
  /// A tensor to write.
  public struct Declaration: Sendable {
    /// The name in the header.
    public var name: String
    /// The shape, outermost dimension first.
    public var shape: [Int]
    /// `float32`, `float16` or `bfloat16`.
    public var type: TensorType

    /// Declares a tensor.
    public init(_ name: String, shape: [Int], type: TensorType = .float32) {
      self.name = name
      self.shape = shape
      self.type = type
    }
  }

  private let file: PendingFile
  private let url: URL
  private let declarations: [Declaration]
  private let ends: [Int]
  private var current = 0
  private var written = 0

  /// Creates the file and writes its header, which is padded with spaces to a multiple of 8 bytes.
  ///
  /// - Throws: ``CheckpointError`` when a name stands twice, a type can't be written, or the file
  ///   can't be created.
  public init(
    _ url: URL, tensors declarations: [Declaration], metadata: [(key: String, value: String)] = []
  ) throws {
    self.url = url
    self.declarations = declarations
    var seen: Set<[UInt8]> = []
    var ends: [Int] = []
    for tensor in declarations {
      guard seen.insert(Array(tensor.name.utf8)).inserted, tensor.name != "__metadata__" else {
        throw CheckpointError(
          "two tensors have one name", path: url.path, item: tensor.name, advice: "rename one")
      }
      guard [.float32, .float16, .bfloat16, .int32].contains(tensor.type),
        let bytes = TensorDescription.byteCount(tensor.type, tensor.shape)
      else {
        throw CheckpointError(
          "a tensor of type \(tensor.type.rawValue) and shape \(tensor.shape) can't be written",
          path: url.path, item: tensor.name, advice: "use F32, F16, BF16 or I32 and a valid shape")
      }
      ends.append((ends.last ?? 0) + bytes)
    }
    self.ends = ends
    file = try PendingFile(url)
    let header = SafeTensorsWriter.header(declarations, ends: ends, metadata: metadata)
    try file.append(withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) })
    try file.append(header)
    skipFilled()
  }

  static func header(
    _ tensors: [Declaration], ends: [Int], metadata: [(key: String, value: String)],
    reserve: Int = 0
  ) -> [UInt8] {
    var items: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.map { "\(JSONText.quoted($0.key)):\(JSONText.quoted($0.value))" }
      items.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    }
    var begin = 0
    for (tensor, end) in zip(tensors, ends) {
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      items.append(
        "\(JSONText.quoted(tensor.name)):{\"dtype\":\"\(tensor.type.rawValue)\","
          + "\"shape\":[\(shape)],\"data_offsets\":[\(begin),\(end)]}")
      begin = end
    }
    var bytes = Array("{\(items.joined(separator: ","))}".utf8)
    let length = max((bytes.count + 7) / 8 * 8, reserve)
    bytes.append(contentsOf: repeatElement(0x20, count: length - bytes.count))
    return bytes
  }

  /// Appends elements of the tensor whose turn it is; a tensor may come in several parts.
  public func append(_ values: UnsafeBufferPointer<Float>) throws {
    guard current < declarations.count else {
      throw CheckpointError(
        "more values than the header declares", path: url.path, advice: "declare every tensor")
    }
    let tensor = declarations[current]
    guard written + values.count * tensor.type.byteCount <= ends[current] else {
      throw CheckpointError(
        "more values than shape \(tensor.shape) holds", path: url.path, item: tensor.name,
        advice: "declare the shape that is written")
    }
    switch tensor.type {
    case .float16: try appendHalves(values, Half.bits)
    case .bfloat16: try appendHalves(values, Half.brainBits)
    default:
      // Little-endian memory is the file's layout; every platform Swift supports has it.
      try file.append(UnsafeRawBufferPointer(values))
    }
    written += values.count * tensor.type.byteCount
    skipFilled()
  }

  /// Appends elements of the I32 tensor whose turn it is; a tensor may come in several parts.
  public func append(_ values: UnsafeBufferPointer<Int32>) throws {
    guard current < declarations.count, declarations[current].type == .int32,
      written + values.count * 4 <= ends[current]
    else {
      throw CheckpointError(
        "integers that the header doesn't declare", path: url.path,
        advice: "declare a tensor of type I32 and its shape")
    }
    try file.append(UnsafeRawBufferPointer(values))
    written += values.count * 4
    skipFilled()
  }

  private func appendHalves(
    _ values: UnsafeBufferPointer<Float>, _ convert: (Float) -> UInt16
  ) throws {
    let part = 1 << 16
    for start in stride(from: 0, to: values.count, by: part) {
      let slice = values[start..<min(start + part, values.count)]
      if declarations[current].type == .float16,
        let large = slice.first(where: { $0.magnitude >= 65520 })
      {
        throw CheckpointError(
          "the value \(large) is too large for F16", path: url.path,
          item: declarations[current].name,
          advice: "write BF16 or F32")
      }
      let halves = slice.map { convert($0).littleEndian }
      try halves.withUnsafeBytes { try file.append($0) }
    }
  }

  private func skipFilled() {
    while current < ends.count, written == ends[current] { current += 1 }
  }

  /// Flushes the file to the disk and gives it its name.
  ///
  /// - Throws: ``CheckpointError`` when values are missing or the disk fails; then no file stays.
  public func finish() throws {
    guard current == declarations.count else {
      throw CheckpointError(
        "values are missing", path: url.path, item: declarations[current].name,
        advice: "append every element of every tensor")
    }
    try file.commit()
  }
}
