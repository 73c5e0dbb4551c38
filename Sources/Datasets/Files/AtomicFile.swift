import Foundation

/// Writes a file so that its name always holds the old or the new contents, never a part.
///
/// The bytes go to `NAME.tmp` beside it, are flushed to the disk, and the temporary file is renamed
/// over NAME. A failure removes the temporary file and leaves NAME as it was.
public enum AtomicFile {
  /// Writes `url` with what `body` gives to the writer, and returns what `body` returns.
  ///
  /// - Throws: `DatasetError` with the system's reason, or what `body` throws.
  @discardableResult
  public static func write<Result>(
    to url: URL, _ body: (FileWriter) throws -> Result
  ) throws -> Result {
    let temporary = url.path + ".tmp"
    let writer = try FileWriter(creating: temporary)
    let result: Result
    do {
      result = try body(writer)
      try writer.finish()
    } catch {
      writer.close()
      unlink(temporary)
      throw error
    }
    guard rename(temporary, url.path) == 0 else {
      let reason = String(cString: strerror(errno))
      unlink(temporary)
      throw DatasetError(
        "cannot replace the file (\(reason))", path: url.path,
        advice: "check that the folder can be written")
    }
    synchronizeDirectory(of: url)
    return result
  }

  /// Writes `bytes` as the contents of `url`.
  public static func write(_ bytes: some Sequence<UInt8>, to url: URL) throws {
    try write(to: url) { try $0.write(Array(bytes)) }
  }

  /// Writes `text` as the contents of `url`, in UTF-8.
  public static func write(_ text: String, to url: URL) throws {
    try write(to: url) { try $0.write(text) }
  }

  /// Makes the rename itself durable; a file system that can't do this has done what it can.
  private static func synchronizeDirectory(of url: URL) {
    let descriptor = open(url.deletingLastPathComponent().path, O_RDONLY)
    guard descriptor >= 0 else { return }
    _ = fsync(descriptor)
    _ = Foundation.close(descriptor)
  }
}

/// A buffered writer of one file that `AtomicFile` is creating.
public final class FileWriter {
  private let path: String
  private var descriptor: Int32
  private var buffer: [UInt8] = []
  private static let capacity = 1 << 18

  fileprivate init(creating path: String) throws {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw FileWriter.failure(path) }
    buffer.reserveCapacity(FileWriter.capacity)
  }

  deinit { close() }

  /// Appends the UTF-8 bytes of `text`.
  public func write(_ text: String) throws {
    buffer.append(contentsOf: text.utf8)
    try flushIfFull()
  }

  /// Appends `bytes`.
  public func write(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try write($0) }
  }

  /// Appends `bytes`; large blocks go to the file without a copy.
  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    if bytes.count >= FileWriter.capacity {
      try flush()
      try writeThrough(bytes)
    } else {
      buffer.append(contentsOf: bytes)
      try flushIfFull()
    }
  }

  private func flushIfFull() throws {
    if buffer.count >= FileWriter.capacity { try flush() }
  }

  private func flush() throws {
    try buffer.withUnsafeBytes { try writeThrough($0) }
    buffer.removeAll(keepingCapacity: true)
  }

  private func writeThrough(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = Foundation.write(
        descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw FileWriter.failure(path)
      }
      rest = rest.dropFirst(count)
    }
  }

  fileprivate func finish() throws {
    try flush()
    guard fsync(descriptor) == 0 else { throw FileWriter.failure(path) }
    let status = Foundation.close(descriptor)
    descriptor = -1
    guard status == 0 else { throw FileWriter.failure(path) }
  }

  fileprivate func close() {
    if descriptor >= 0 { _ = Foundation.close(descriptor) }
    descriptor = -1
  }

  private static func failure(_ path: String) -> DatasetError {
    DatasetError(
      "cannot write (\(String(cString: strerror(errno))))", path: path,
      advice: "check that the folder exists, can be written and has space")
  }
}
