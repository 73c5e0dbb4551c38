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

  /// Reads a `.npy` file of Float in C order or a `.safetensors` file with a tensor `embeddings`.
  ///
  /// - Throws: ``CheckpointError`` when the file is damaged or holds something else.
  public init(contentsOf url: URL) throws {
    switch try VectorFormat(url) {
    case .npy: self = try NumpyFile.read(url)
    case .safetensors:
      let file = try SafeTensorsFile(url)
      let values = try file.floats("embeddings")
      let shape = file["embeddings"]?.shape ?? []
      guard shape.count == 2 else {
        throw CheckpointError(
          "the tensor has shape \(shape), not (rows, width)", path: url.path, item: "embeddings",
          advice: "write a matrix")
      }
      self.init(count: shape[0], width: shape[1], values: values)
    case .jsonl, .csv, .fvecs:
      throw CheckpointError(
        "vectors are read from .npy and .safetensors", path: url.path,
        advice: "write one of these")
    }
  }
}

/// numpy's array files, versions 1 to 3.
///
/// Format: numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
enum NumpyFile {
  static func read(_ url: URL) throws -> VectorTable {
    let bytes = try FileContents.load(url)
    func damaged(_ what: String) -> CheckpointError {
      CheckpointError(
        what, path: url.path,
        advice: "write it with numpy.save(FILE, numpy.ascontiguousarray(matrix, \"<f4\"))")
    }
    guard bytes.count >= 12, bytes.starts(with: [0x93] + Array("NUMPY".utf8)) else {
      throw damaged("this isn't a .npy file")
    }
    let wide = bytes[6] >= 2
    let start = wide ? 12 : 10
    let fields = bytes[8..<start].reversed()
    let length = fields.reduce(0) { $0 << 8 | Int($1) }
    guard length <= bytes.count - start else { throw damaged("the header is cut short") }
    let header = String(decoding: bytes[start..<start + length], as: UTF8.self)
    guard header.contains("'descr': '<f4'"), header.contains("'fortran_order': False") else {
      throw damaged("the array isn't little-endian float32 in C order")
    }
    guard let open = header.range(of: "'shape': ("),
      let close = header.range(of: ")", range: open.upperBound..<header.endIndex)
    else { throw damaged("the header has no shape") }
    let parts = header[open.upperBound..<close.lowerBound].split(separator: ",").map {
      Int($0.trimmingCharacters(in: .whitespaces))
    }
    guard parts.count == 2, let count = parts[0], let width = parts[1],
      TensorDescription.byteCount(.float32, [count, width]) == bytes.count - start - length
    else { throw damaged("the shape isn't (rows, width), or doesn't fit the file's length") }
    let values = [Float](unsafeUninitializedCapacity: count * width) { buffer, filled in
      bytes.withUnsafeBytes { raw in
        TensorType.float32.convert(
          UnsafeRawBufferPointer(rebasing: raw[(start + length)...]),
          to: UnsafeMutableBufferPointer(rebasing: buffer[..<(count * width)]))
      }
      filled = count * width
    }
    return VectorTable(count: count, width: width, values: values)
  }
}
