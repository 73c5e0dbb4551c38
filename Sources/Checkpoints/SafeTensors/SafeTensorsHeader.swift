/// The parsed and checked header of a safetensors file.
///
/// Format: github.com/huggingface/safetensors. Tensors must cover the data without holes or overlaps.
struct SafeTensorsHeader {
  /// Tensors in the order of their bytes.
  private(set) var tensors: [TensorDescription] = []
  private(set) var metadata: [(key: String, value: String)] = []

  /// The largest header that the format allows.
  static let maximumLength = 100_000_000

  /// Checks everything that the format asks for.
  ///
  /// `dataLength` is how many bytes the file holds after the header.
  init(_ bytes: UnsafeBufferPointer<UInt8>, dataLength: Int, path: String) throws {
    guard bytes.first == UInt8(ascii: "{") else {
      throw SafeTensorsHeader.damaged("the header doesn't begin with {", path)
    }
    var scanner = HeaderScanner(bytes)
    var hasMetadata = false
    do {
      try scanner.object { name, scanner in
        if name == "__metadata__" {
          guard !hasMetadata else { throw scanner.problem("__metadata__ stands twice") }
          hasMetadata = true
          var keys: Set<[UInt8]> = []
          try scanner.object { key, scanner in
            guard keys.insert(Array(key.utf8)).inserted else {
              throw scanner.problem("the metadata key \(key) stands twice")
            }
            metadata.append((key, try scanner.string()))
          }
        } else {
          tensors.append(try SafeTensorsHeader.tensor(name, &scanner, path))
        }
      }
      try scanner.expectEnd()
    } catch let problem as HeaderScanner.Problem {
      throw SafeTensorsHeader.damaged("\(problem.what) (header byte \(problem.offset))", path)
    }
    try checkPlaces(dataLength: dataLength, path: path)
  }

  private static func tensor(
    _ name: String, _ scanner: inout HeaderScanner, _ path: String
  ) throws -> TensorDescription {
    var (type, shape, places): (String?, [Int]?, [Int]?) = (nil, nil, nil)
    try scanner.object { key, scanner in
      switch key {
      case "dtype" where type == nil: type = try scanner.string()
      case "shape" where shape == nil: shape = try scanner.wholeNumbers()
      case "data_offsets" where places == nil: places = try scanner.wholeNumbers()
      default: throw scanner.problem("unexpected or repeated key \(key) of tensor \(name)")
      }
    }
    guard let type, let shape, let places else {
      throw scanner.problem("tensor \(name) lacks dtype, shape or data_offsets")
    }
    guard let known = TensorType(rawValue: type) else {
      throw CheckpointError(
        "element type \(type) is unknown", path: path, item: name,
        advice: "convert the file to F32, F16 or BF16")
    }
    guard places.count == 2, places[0] <= places[1],
      TensorDescription.byteCount(known, shape) == places[1] - places[0]
    else {
      throw damaged("data_offsets \(places) don't fit \(type) of shape \(shape)", path, item: name)
    }
    return TensorDescription(
      name: name, type: known, shape: shape, byteRange: places[0]..<places[1])
  }

  private mutating func checkPlaces(dataLength: Int, path: String) throws {
    tensors.sort { a, b in
      (a.byteRange.lowerBound, a.byteRange.upperBound)
        < (b.byteRange.lowerBound, b.byteRange.upperBound)
    }
    var names: Set<[UInt8]> = []
    var end = 0
    for tensor in tensors {
      guard names.insert(Array(tensor.name.utf8)).inserted else {
        throw SafeTensorsHeader.damaged("the tensor stands twice", path, item: tensor.name)
      }
      guard tensor.byteRange.lowerBound == end else {
        let kind = tensor.byteRange.lowerBound < end ? "overlaps the one before" : "leaves a hole"
        throw SafeTensorsHeader.damaged(
          "the tensor \(kind) (begins at \(tensor.byteRange.lowerBound), expected \(end))", path,
          item: tensor.name)
      }
      end = tensor.byteRange.upperBound
    }
    guard end == dataLength else {
      throw SafeTensorsHeader.damaged(
        "the tensors need \(end) bytes and the file holds \(dataLength)", path)
    }
  }

  static func damaged(_ what: String, _ path: String, item: String? = nil) -> CheckpointError {
    CheckpointError(
      "not a valid safetensors file, \(what)", path: path, item: item,
      advice: "fetch or export the file again")
  }
}
