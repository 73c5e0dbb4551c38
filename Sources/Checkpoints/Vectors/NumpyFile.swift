import Foundation
import Tokenization

/// numpy's array files, versions 1 to 3.
///
/// Format: numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
enum NumpyFile {
  /// The element types that are read: numpy's default, that of models, and half of it.
  private static let types: [(name: String, type: TensorType)] = [
    ("<f4", .float32), ("<f2", .float16), ("<f8", .float64),
  ]

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
    guard length <= min(bytes.count - start, 1 << 20) else {
      throw damaged("the header is cut short")
    }
    let header = String(decoding: bytes[start..<start + length], as: UTF8.self)
    guard let type = types.first(where: { header.contains("'descr': '\($0.name)'") })?.type,
      header.contains("'fortran_order': False")
    else {
      throw damaged("the array isn't little-endian float32, float16 or float64 in C order")
    }
    guard let open = header.range(of: "'shape': ("),
      let close = header.range(of: ")", range: open.upperBound..<header.endIndex)
    else { throw damaged("the header has no shape") }
    let parts = header[open.upperBound..<close.lowerBound].split(separator: ",").map {
      Int($0.trimmingCharacters(in: .whitespaces))
    }
    guard parts.count == 2, let count = parts[0], let width = parts[1],
      TensorDescription.byteCount(type, [count, width]) == bytes.count - start - length
    else { throw damaged("the shape isn't (rows, width), or doesn't fit the file's length") }
    let values = [Float](unsafeUninitializedCapacity: count * width) { buffer, filled in
      bytes.withUnsafeBytes { raw in
        type.convert(
          UnsafeRawBufferPointer(rebasing: raw[(start + length)...]),
          to: UnsafeMutableBufferPointer(rebasing: buffer[..<(count * width)]))
      }
      filled = count * width
    }
    return VectorTable(count: count, width: width, values: values)
  }
}
