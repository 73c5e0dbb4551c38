public import Foundation

/// A file that is being written under the name `NAME.tmp` and gets its name when it is complete.
///
/// ``commit()`` flushes it to the disk and renames it; a file that isn't committed is removed. So NAME
/// holds the old or the new contents at any moment, never a part.
public final class PendingFile {
  private let target: String
  private let temporary: String
  private var descriptor: Int32
  private var buffer: [UInt8] = []
  private static let capacity = 1 << 18

  /// Creates `NAME.tmp` beside `url`; a symbolic link is followed, so that its target is replaced.
  ///
  /// - Throws: ``CheckpointError`` when that fails, or when something that isn't a file has the name.
  public init(_ url: URL) throws {
    target = url.resolvingSymlinksInPath().path
    temporary = target + ".tmp"
    descriptor = -1
    var status = stat()
    if stat(target, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      throw CheckpointError(
        "can't be replaced by a file, as it isn't one", path: target, advice: "give another name")
    }
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure() }
    buffer.reserveCapacity(PendingFile.capacity)
  }

  deinit { discard() }

  /// Appends bytes.
  public func append(_ bytes: UnsafeRawBufferPointer) throws {
    if bytes.count >= PendingFile.capacity {
      try flush()
      try writeThrough(bytes)
    } else {
      buffer.append(contentsOf: bytes)
      if buffer.count >= PendingFile.capacity { try flush() }
    }
  }

  /// Appends bytes.
  public func append(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try append($0) }
  }

  /// Appends the UTF-8 bytes of a text.
  public func append(_ text: String) throws {
    buffer.append(contentsOf: text.utf8)
    if buffer.count >= PendingFile.capacity { try flush() }
  }

  /// Replaces bytes that were appended before, as a header whose numbers are known only at the end.
  public func overwrite(at offset: Int, with bytes: [UInt8]) throws {
    try flush()
    let written = bytes.withUnsafeBytes {
      pwrite(descriptor, $0.baseAddress, $0.count, off_t(offset))
    }
    guard written == bytes.count else { throw failure() }
  }

  /// Flushes the file and its name to the disk; nothing can be appended after that.
  public func commit() throws {
    do {
      try flush()
      guard fsync(descriptor) == 0 else { throw failure() }
      let status = close(descriptor)
      descriptor = -1
      guard status == 0, rename(temporary, target) == 0 else { throw failure() }
    } catch {
      discard()
      unlink(temporary)
      throw error
    }
    FileSystem.synchronizeFolder(of: target)
  }

  private func discard() {
    guard descriptor >= 0 else { return }
    close(descriptor)
    descriptor = -1
    unlink(temporary)
  }

  private func flush() throws {
    try buffer.withUnsafeBytes { try writeThrough($0) }
    buffer.removeAll(keepingCapacity: true)
  }

  private func writeThrough(_ bytes: UnsafeRawBufferPointer) throws {
    var done = 0
    while done < bytes.count, let base = bytes.baseAddress {
      let count = write(descriptor, base + done, bytes.count - done)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure() }
      done += count
    }
  }

  private func failure() -> CheckpointError {
    CheckpointError(
      "can't be written (\(String(cString: strerror(errno))))", path: target,
      advice: "check that the folder exists, can be written and has space")
  }
}
