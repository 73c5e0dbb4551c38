public import Foundation

/// An open safetensors file: its header, checked, and its tensors on demand.
///
/// ``read(_:into:)`` reads by position, so that a file that is cut short while it is open gives an error
/// and not a signal. A model's weights can be used where they are instead, see ``WeightStorage``.
public final class SafeTensorsFile: Sendable {
  /// Where the file is.
  public let url: URL
  /// All tensors, in the order of their bytes in the file.
  public let tensors: [TensorDescription]
  private let pairs: [(key: String, value: String)]
  private let index: [[UInt8]: Int]
  private let descriptor: Int32
  private let dataStart: Int

  /// Opens a file and checks its header; nothing is allocated from sizes that weren't compared with
  /// the file's length.
  ///
  /// - Throws: ``CheckpointError`` that names the file and the tensor.
  public init(_ url: URL) throws {
    self.url = url
    let path = url.path
    // Without waiting: a pipe in the file's place has nobody who writes into it.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw CheckpointError(
        "can't be opened (\(String(cString: strerror(errno))))", path: path,
        advice: "check the path")
    }
    do {
      var status = stat()
      guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
        throw SafeTensorsHeader.damaged("it isn't a regular file", path)
      }
      let size = Int(status.st_size)
      guard size >= 8 else { throw SafeTensorsHeader.damaged("it has only \(size) bytes", path) }
      var raw: UInt64 = 0
      try withUnsafeMutableBytes(of: &raw) {
        try SafeTensorsFile.read(descriptor, at: 0, into: $0, path: path)
      }
      let length = UInt64(littleEndian: raw)
      guard length <= UInt64(SafeTensorsHeader.maximumLength), Int(length) <= size - 8 else {
        throw SafeTensorsHeader.damaged(
          "its header would have \(length) bytes, the file has \(size)", path)
      }
      let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(length), alignment: 8)
      defer { bytes.deallocate() }
      try SafeTensorsFile.read(descriptor, at: 8, into: bytes, path: path)
      let header = try SafeTensorsHeader(
        UnsafeBufferPointer(bytes.bindMemory(to: UInt8.self)), dataLength: size - 8 - Int(length),
        path: path)
      tensors = header.tensors
      pairs = header.metadata
      dataStart = 8 + Int(length)
      index = Dictionary(
        uniqueKeysWithValues: header.tensors.enumerated().map { (Array($1.name.utf8), $0) })
      self.descriptor = descriptor
    } catch {
      close(descriptor)
      throw error
    }
  }

  deinit { close(descriptor) }

  /// The tensor of that name, compared byte by byte.
  public subscript(name: String) -> TensorDescription? {
    index[Array(name.utf8)].map { tensors[$0] }
  }

  /// The pairs of `__metadata__`, in file order.
  public var metadata: [(key: String, value: String)] { pairs }

  /// The value of a key of `__metadata__`.
  public func metadataValue(_ key: String) -> String? { pairs.first { $0.key == key }?.value }

  /// Reads a tensor as Floats into `floats`, which must have the tensor's ``TensorDescription/count``.
  ///
  /// - Throws: ``CheckpointError`` for complex or 8-bit float tensors and when the file can't be read.
  public func read(
    _ tensor: TensorDescription, into floats: UnsafeMutableBufferPointer<Float>
  ) throws {
    precondition(floats.count == tensor.count, "\(floats.count) places for \(tensor.count) values")
    guard tensor.type.isReal else {
      throw CheckpointError(
        "element type \(tensor.type.rawValue) can't be read as Float", path: url.path,
        item: tensor.name, advice: "convert the file to F32, F16 or BF16")
    }
    let start = dataStart + tensor.byteRange.lowerBound
    if tensor.type == .float32 {
      let bytes = UnsafeMutableRawBufferPointer(floats)
      try SafeTensorsFile.read(descriptor, at: start, into: bytes, path: url.path)
      return
    }
    let part = 1 << 16
    let width = tensor.type.byteCount
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: part * width, alignment: 8)
    defer { buffer.deallocate() }
    for first in stride(from: 0, to: floats.count, by: part) {
      let count = min(part, floats.count - first)
      let bytes = UnsafeMutableRawBufferPointer(rebasing: buffer[..<(count * width)])
      try SafeTensorsFile.read(
        descriptor, at: start + first * width, into: bytes, path: url.path)
      tensor.type.convert(
        UnsafeRawBufferPointer(bytes),
        to: UnsafeMutableBufferPointer(rebasing: floats[first..<first + count]))
    }
  }

  /// Reads a whole tensor as Floats.
  ///
  /// - Throws: ``CheckpointError`` when there is no such tensor, and as ``read(_:into:)``.
  public func floats(_ name: String) throws -> [Float] {
    guard let tensor = self[name] else {
      throw CheckpointError(
        "the tensor is missing", path: url.path, item: name,
        advice: "check that this is the right file")
    }
    return try [Float](unsafeUninitializedCapacity: tensor.count) { buffer, count in
      try read(tensor, into: UnsafeMutableBufferPointer(rebasing: buffer[..<tensor.count]))
      count = tensor.count
    }
  }

  /// Reads a whole tensor of type I32.
  ///
  /// - Throws: ``CheckpointError`` when there is no such tensor or it has another type.
  public func integers(_ name: String) throws -> [Int32] {
    guard let tensor = self[name], tensor.type == .int32 else {
      throw CheckpointError(
        "there is no such tensor of type I32", path: url.path, item: name,
        advice: "check that this is the right file")
    }
    return try [Int32](unsafeUninitializedCapacity: tensor.count) { buffer, count in
      let places = UnsafeMutableRawBufferPointer(
        UnsafeMutableBufferPointer(rebasing: buffer[..<tensor.count]))
      try SafeTensorsFile.read(
        descriptor, at: dataStart + tensor.byteRange.lowerBound, into: places, path: url.path)
      count = tensor.count
    }
  }

  /// Maps the whole file; `nil` where that isn't possible, and then its tensors have to be read.
  func map() -> FileMapping? {
    FileMapping(descriptor, length: dataStart + (tensors.last?.byteRange.upperBound ?? 0))
  }

  /// The elements of a tensor in a mapping of this file; `nil` unless they are Floats as memory has them.
  func floats(of tensor: TensorDescription, in mapping: FileMapping) -> UnsafePointer<Float>? {
    let start = dataStart + tensor.byteRange.lowerBound
    // Nothing forbids a file with F32 tensors at odd places: those are read.
    guard tensor.type == .float32, start % MemoryLayout<Float>.alignment == 0,
      1.littleEndian == 1, tensor.count > 0,
      dataStart + tensor.byteRange.upperBound <= mapping.bytes.count
    else { return nil }
    return mapping.bytes.baseAddress.map {
      ($0 + start).bindMemory(to: Float.self, capacity: tensor.count)
    }
  }

  private static func read(
    _ descriptor: Int32, at offset: Int, into bytes: UnsafeMutableRawBufferPointer, path: String
  ) throws {
    var done = 0
    while done < bytes.count, let base = bytes.baseAddress {
      let count = pread(descriptor, base + done, bytes.count - done, off_t(offset + done))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let reason = count == 0 ? "it became shorter" : String(cString: strerror(errno))
        throw CheckpointError("can't be read (\(reason))", path: path, advice: "check the disk")
      }
      done += count
    }
  }
}
