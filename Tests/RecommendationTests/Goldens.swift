import Foundation
import Recommendation

/// The golden files under Tests/Goldens/recommendation, which generate.py there wrote.
enum Goldens {
  static func load<Content: Decodable>(_ name: String, as type: Content.Type) throws -> Content {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Goldens/recommendation/\(name).json")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(type, from: Data(contentsOf: url))
  }
}

/// A dense matrix of a golden file.
struct GoldenMatrix: Decodable {
  var rows: Int
  var columns: Int
  var values: [Float]

  var matrix: DenseMatrix { DenseMatrix(rowCount: rows, columnCount: columns, values: values) }
}

/// A sparse matrix of a golden file.
struct GoldenSparse: Decodable {
  var rows: Int
  var columns: Int
  var offsets: [Int]
  var indices: [Int32]
  var values: [Float]

  func matrix() throws -> SparseMatrix {
    try SparseMatrix(
      rowCount: rows, columnCount: columns, offsets: offsets, columns: indices, values: values)
  }
}
