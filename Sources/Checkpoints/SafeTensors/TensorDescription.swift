/// One tensor of a safetensors file: its name, type, shape and place.
public struct TensorDescription: Sendable, Equatable {
  /// The name; two names are equal when their bytes are.
  public let name: String
  /// Type of the elements in the file.
  public let type: TensorType
  /// The shape, outermost dimension first; empty for a scalar.
  public let shape: [Int]
  /// The elements' bytes, counted from the end of the header.
  public let byteRange: Range<Int>

  /// Number of elements.
  public var count: Int { byteRange.count / type.byteCount }

  /// Bytes of a tensor of that shape; `nil` for a negative dimension or beyond `Int`'s range.
  static func byteCount(_ type: TensorType, _ shape: [Int]) -> Int? {
    var product = type.byteCount
    for dimension in shape {
      guard dimension >= 0 else { return nil }
      let (next, overflow) = product.multipliedReportingOverflow(by: dimension)
      if overflow { return nil }
      product = next
    }
    return product
  }
}
