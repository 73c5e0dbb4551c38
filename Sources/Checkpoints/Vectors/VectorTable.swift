public import Foundation
import Tokenization

/// Vectors read back from a file: (count, width) row-major.
public struct VectorTable: Sendable, Equatable {
  /// Number of vectors.
  public let count: Int
  /// Values a vector.
  public let width: Int
  /// All values.
  public let values: [Float]

  /// Creates a table; `values` has `count * width` elements.
  public init(count: Int, width: Int, values: [Float]) {
    precondition(values.count == count * width, "\(values.count) values for (\(count), \(width))")
    self.count = count
    self.width = width
    self.values = values
  }

  /// Reads a `.npy` file (float32, float16 or float64 in C order) or a `.safetensors` file with a tensor
  /// `embeddings`, or with a single tensor.
  ///
  /// - Throws: ``CheckpointError`` when the file is damaged or holds something else.
  public init(contentsOf url: URL) throws {
    switch try VectorFormat(url) {
    case .npy: self = try NumpyFile.read(url)
    case .safetensors:
      let file = try SafeTensorsFile(url)
      let name = file.tensors.count == 1 ? file.tensors[0].name : "embeddings"
      let shape = file[name]?.shape ?? []
      guard shape.count == 2 || file[name] == nil else {
        throw CheckpointError(
          "the tensor has shape \(shape), not (rows, width)", path: url.path, item: name,
          advice: "write a matrix")
      }
      let values = try file.floats(name)
      self.init(count: shape[0], width: shape[1], values: values)
    case .jsonl, .csv, .fvecs, .faiss, .pgcopy, .pgbin:
      throw CheckpointError(
        "vectors are read from .npy and .safetensors", path: url.path,
        advice: "write one of these")
    }
  }
}

extension VectorTable {
  /// Reads the vectors of `url` with their ids, which stand in `NAME.ids.txt` beside it, one a line.
  ///
  /// - Throws: ``CheckpointError`` when a file is missing or damaged, or their lengths differ.
  public static func readWithIDs(_ url: URL) throws -> (table: VectorTable, ids: [String]) {
    let table = try VectorTable(contentsOf: url)
    return (table, try VectorIDFile.read(besides: url, count: table.count))
  }
}
