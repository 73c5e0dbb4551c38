import Checkpoints
import Foundation

/// Writes and reads matrices of a model directory as tensors of one safetensors file.
enum TensorStore {
  /// One matrix or list under a name.
  enum Content {
    case dense(DenseMatrix)
    case sparse(SparseMatrix)
    case floats([Float])
  }

  static func write(_ contents: [(name: String, content: Content)], to url: URL) throws {
    var declarations: [SafeTensorsWriter.Declaration] = []
    for (name, content) in contents {
      switch content {
      case .dense(let matrix):
        declarations.append(.init(name, shape: [matrix.rowCount, matrix.columnCount]))
      case .floats(let values):
        declarations.append(.init(name, shape: [values.count]))
      case .sparse(let matrix):
        declarations.append(.init("\(name).shape", shape: [2], type: .int32))
        declarations.append(.init("\(name).lengths", shape: [matrix.rowCount], type: .int32))
        declarations.append(.init("\(name).columns", shape: [matrix.entryCount], type: .int32))
        declarations.append(.init("\(name).values", shape: [matrix.entryCount]))
      }
    }
    let writer = try SafeTensorsWriter(
      url, tensors: declarations, metadata: [("format_version", "1")])
    for (_, content) in contents {
      switch content {
      case .dense(let matrix): try matrix.values.withUnsafeBufferPointer { try writer.append($0) }
      case .floats(let values): try values.withUnsafeBufferPointer { try writer.append($0) }
      case .sparse(let matrix):
        let shape = [Int32(matrix.rowCount), Int32(matrix.columnCount)]
        let lengths = (0..<matrix.rowCount).map {
          Int32(matrix.offsets[$0 + 1] - matrix.offsets[$0])
        }
        for integers in [shape, lengths, matrix.columns] {
          try integers.withUnsafeBufferPointer { try writer.append($0) }
        }
        try matrix.values.withUnsafeBufferPointer { try writer.append($0) }
      }
    }
    try writer.finish()
  }

  static func dense(_ name: String, _ file: SafeTensorsFile) throws -> DenseMatrix {
    guard let tensor = file[name], tensor.shape.count == 2 else {
      throw damaged("there is no such matrix", name, file)
    }
    return DenseMatrix(
      rowCount: tensor.shape[0], columnCount: tensor.shape[1], values: try file.floats(name))
  }

  static func sparse(_ name: String, _ file: SafeTensorsFile) throws -> SparseMatrix {
    let shape = try file.integers("\(name).shape")
    let lengths = try file.integers("\(name).lengths")
    guard shape.count == 2, shape[0] >= 0, shape[1] >= 0, lengths.count == Int(shape[0]),
      lengths.allSatisfy({ $0 >= 0 })
    else { throw damaged("the sparse matrix has impossible sizes", name, file) }
    var offsets = [0]
    offsets.reserveCapacity(lengths.count + 1)
    for length in lengths { offsets.append(offsets[offsets.count - 1] + Int(length)) }
    do {
      return try SparseMatrix(
        rowCount: Int(shape[0]), columnCount: Int(shape[1]), offsets: offsets,
        columns: try file.integers("\(name).columns"),
        values: try file.floats("\(name).values"))
    } catch let error as SparseMatrixError {
      throw damaged(error.description, name, file)
    }
  }

  static func damaged(_ what: String, _ name: String, _ file: SafeTensorsFile) -> CheckpointError {
    CheckpointError(
      what, path: file.url.path, item: name, advice: "fine-tune again, or restore the file")
  }
}
