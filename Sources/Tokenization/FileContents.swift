package import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file that couldn't be read or written.
package struct FileError: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

/// Whole files as bytes: read at once, written atomically.
package enum FileContents {
  /// Reads a file.
  ///
  /// Throws `FileError` with the system's reason when it can't be opened or read.
  package static func load(_ url: URL) throws -> [UInt8] {
    let path = url.path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("can't open", path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure("can't read", path) }
    guard status.st_mode & S_IFMT != S_IFDIR else {
      throw FileError("can't read a directory as a file: \(path); name a file inside it")
    }
    // The size is a first guess: pipes have none and files may grow.
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(status.st_size) + 1)
    var wanted = max(Int(status.st_size) + 1, 1 << 16)
    while true {
      let before = bytes.count
      var received = 0
      let part = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, count in
        repeat {
          received = read(descriptor, buffer.baseAddress, wanted)
        } while received < 0 && errno == EINTR
        count = max(received, 0)
      }
      guard received >= 0 else { throw failure("can't read", path) }
      if received == 0 { return bytes }
      if before == 0 { bytes = part } else { bytes += part }
      wanted = 1 << 16
    }
  }

  /// Replaces a file as one step: writes `NAME.tmp`, flushes it to the disk, renames it.
  ///
  /// A crash leaves the old file or the new one, never a part. Throws `FileError`, and then no
  /// temporary file stays.
  package static func save(_ bytes: [UInt8], to url: URL) throws {
    let path = url.path
    let temporary = path + ".tmp"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure("can't write", path) }
    var complete = true
    bytes.withUnsafeBytes { buffer in
      var written = 0
      while written < buffer.count, let base = buffer.baseAddress {
        let step = write(descriptor, base + written, buffer.count - written)
        if step < 0, errno == EINTR { continue }
        guard step > 0 else {
          complete = false
          return
        }
        written += step
      }
    }
    complete = complete && fsync(descriptor) == 0
    let problem = complete ? nil : failure("can't write", path)
    close(descriptor)
    if let problem {
      unlink(temporary)
      throw problem
    }
    guard rename(temporary, path) == 0 else {
      let problem = failure("can't write", path)
      unlink(temporary)
      throw problem
    }
  }

  private static func failure(_ what: String, _ path: String) -> FileError {
    FileError("\(what) \(path): \(String(cString: strerror(errno)))")
  }
}
