import EncoderModel
import Foundation
import Kernels
import Recommendation
import TestSupport

/// Memory that a test fills with numbers and reads back.
///
/// It is never freed: a buffer may be a temporary whose pointer outlives it.
final class TestBuffer<S: KernelScalar> {
  let pointer: UnsafeMutablePointer<S>
  let count: Int

  init(_ values: [S]) {
    count = values.count
    pointer = .allocate(capacity: max(1, count))
    pointer.initialize(from: values, count: count)
  }

  convenience init(zeros count: Int) { self.init([S](repeating: 0, count: count)) }

  var values: [S] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}

extension ParameterStore {
  /// All elements as an array.
  var array: [Scalar] { Array(values) }

  /// Overwrites all elements.
  func fill(_ values: [Scalar]) { base.update(from: values, count: count) }
}

/// A golden file under Tests/Goldens/towers, which generate.py there wrote.
func towerGolden<Content: Decodable>(_ name: String, as type: Content.Type) throws -> Content {
  let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Goldens/towers/\(name).json")
  let decoder = JSONDecoder()
  decoder.keyDecodingStrategy = .convertFromSnakeCase
  return try decoder.decode(type, from: Data(contentsOf: url))
}
