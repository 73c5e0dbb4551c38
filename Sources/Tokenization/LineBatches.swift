#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reads a file or standard input in batches of whole lines, so that any size needs little memory.
///
/// Lines end at `\n` only. A batch ends after a line's `\n`, the last one at the end of the input. A
/// line longer than a batch makes that batch longer.
public final class LineBatches {
  private let descriptor: Int32
  private let path: String
  private let batchBytes: Int
  private var rest: [UInt8] = []
  private var ended = false
  /// The size of a regular file; nil for pipes.
  public let totalBytes: Int?

  /// Opens a file; `-` is standard input.
  ///
  /// Throws with the path and the system's reason when it can't be opened.
  public init(path: String, batchBytes: Int = 1 << 20) throws {
    self.path = path == "-" ? "standard input" : path
    self.batchBytes = max(batchBytes, 1)
    descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    var status = stat()
    guard descriptor >= 0, fstat(descriptor, &status) == 0 else {
      totalBytes = nil
      throw FileError("can't open \(path): \(String(cString: strerror(errno))); check the path")
    }
    totalBytes = status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil
  }

  deinit {
    if descriptor > STDIN_FILENO { close(descriptor) }
  }

  /// The next lines; nil after the last.
  ///
  /// Throws with the path when reading fails.
  public func next() throws -> [UInt8]? {
    var batch = rest
    rest = []
    var searched = 0
    while !ended {
      // Only what was read since the last look can hold a line's end.
      if batch.count >= batchBytes, let end = batch[searched...].lastIndex(of: 0x0A) {
        rest = Array(batch[(end + 1)...])
        batch.removeLast(batch.count - end - 1)
        return batch
      }
      searched = batch.count
      let part = try readPart()
      if part.isEmpty { ended = true }
      batch += part
    }
    return batch.isEmpty ? nil : batch
  }

  private func readPart() throws -> [UInt8] {
    var received = 0
    let part = [UInt8](unsafeUninitializedCapacity: batchBytes) { buffer, count in
      repeat {
        received = read(descriptor, buffer.baseAddress, batchBytes)
      } while received < 0 && errno == EINTR
      count = max(received, 0)
    }
    guard received >= 0 else {
      throw FileError("can't read \(path): \(String(cString: strerror(errno)))")
    }
    return part
  }
}
