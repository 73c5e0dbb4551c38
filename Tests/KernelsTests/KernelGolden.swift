import Foundation
import Kernels

/// The numbers that `Tests/Goldens/kernels/generate.py` wrote from PyTorch.
enum KernelGolden {
  /// The arrays of one operation, by name.
  static func load(_ operation: String) throws -> [String: [Double]] {
    let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Goldens/kernels/kernels.json")
    let all = try JSONDecoder().decode(
      [String: [String: [Double]]].self, from: Data(contentsOf: path))
    return try all[operation] ?? { throw MissingGolden(name: operation) }()
  }

  struct MissingGolden: Error { let name: String }
}

extension [String: [Double]] {
  /// The array of this name; throws instead of trapping when the file lacks it.
  func array(_ name: String) throws -> [Double] {
    guard let array = self[name] else { throw KernelGolden.MissingGolden(name: name) }
    return array
  }

  func floats(_ name: String) throws -> [Float] { try array(name).map { Float($0) } }

  func integers(_ name: String) throws -> [Int32] { try array(name).map { Int32($0) } }
}
