import Foundation

/// The tensors of one file under Tests/Goldens/model: safetensors of F64, F32 and I32.
///
/// A reader of its own, so that these tests don't lean on the one that the library ships.
struct GoldenTensors {
  /// Why a golden file can't be used.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private struct Entry: Decodable {
    let dtype: String
    let shape: [Int]
    let offsets: [Int]
    enum CodingKeys: String, CodingKey {
      case dtype, shape
      case offsets = "data_offsets"
    }
  }

  let file: String
  private let entries: [String: Entry]
  private let data: Data

  /// Reads Tests/Goldens/model/`file`.safetensors.
  init(_ file: String) throws {
    self.file = file
    let url = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Goldens/model/\(file).safetensors")
    let bytes = try Data(contentsOf: url)
    guard bytes.count >= 8 else { throw Failure(description: "\(url.path): too short") }
    let header = bytes.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
    guard header > 0, header <= bytes.count - 8 else {
      throw Failure(description: "\(url.path): header of \(header) bytes")
    }
    entries = try JSONDecoder().decode([String: Entry].self, from: bytes[8..<(8 + header)])
    data = Data(bytes[(8 + header)...])
  }

  /// The names that begin with `prefix`, without it, sorted.
  func names(_ prefix: String) -> [String] {
    entries.keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }.sorted()
  }

  /// The shape of a tensor.
  func shape(_ name: String) throws -> [Int] { try entry(name).shape }

  /// The elements of an F64 or F32 tensor.
  func values(_ name: String) throws -> [Double] {
    let entry = try entry(name)
    switch entry.dtype {
    case "F64": return try elements(name, entry, of: UInt64.self).map(Double.init(bitPattern:))
    case "F32":
      return try elements(name, entry, of: UInt32.self).map { Double(Float(bitPattern: $0)) }
    default: throw Failure(description: "\(file), \(name): \(entry.dtype) isn't a float type")
    }
  }

  /// The only element of an F64 tensor.
  func value(_ name: String) throws -> Double {
    let all = try values(name)
    guard let first = all.first, all.count == 1 else {
      throw Failure(description: "\(file), \(name): \(all.count) elements, not one")
    }
    return first
  }

  /// The elements of an I32 tensor.
  func integers(_ name: String) throws -> [Int32] {
    try elements(name, try entry(name), of: UInt32.self).map(Int32.init(bitPattern:))
  }

  private func entry(_ name: String) throws -> Entry {
    guard let entry = entries[name] else {
      throw Failure(description: "\(file) has no tensor \(name)")
    }
    return entry
  }

  private func elements<T: FixedWidthInteger>(
    _ name: String, _ entry: Entry, of type: T.Type
  ) throws -> [T] {
    let size = MemoryLayout<T>.size
    let count = entry.shape.reduce(1, *)
    guard entry.offsets.count == 2, entry.offsets[0] >= 0, entry.offsets[1] <= data.count,
      entry.offsets[1] - entry.offsets[0] == count * size
    else { throw Failure(description: "\(file), \(name): \(entry.offsets) for \(entry.shape)") }
    return data.withUnsafeBytes { raw in
      (0..<count).map {
        T(littleEndian: raw.loadUnaligned(fromByteOffset: entry.offsets[0] + $0 * size, as: T.self))
      }
    }
  }
}
