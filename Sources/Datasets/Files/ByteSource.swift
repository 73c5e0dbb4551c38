internal import CZlib
import Foundation

/// The bytes of a file or of standard input, decompressed when they are gzip.
///
/// gzip is told by its first two bytes, not by the file's name; several members in a row are read as
/// one stream.
public final class ByteSource {
  /// What errors call this source: its path, or `standard input`.
  public let name: String
  private var descriptor: Int32 = -1
  private var stream: gzFile?

  /// Opens `path`; "-" is standard input.
  ///
  /// - Throws: `DatasetError` when the file can't be opened.
  public init(path: String) throws {
    name = path == "-" ? "standard input" : path
    descriptor = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw DatasetError(
        "cannot open (\(String(cString: strerror(errno))))", path: name, advice: "check the path")
    }
    // zlib reads plain bytes too, but with one copy more; a pipe can't be looked at beforehand.
    if path == "-" || ByteSource.startsLikeGzip(descriptor) {
      stream = gzdopen(descriptor, "rb")
      guard stream != nil else {
        throw DatasetError("out of memory", path: name, advice: "free some memory")
      }
      gzbuffer(stream, 1 << 17)
    }
  }

  deinit {
    if let stream {
      gzclose(stream)
    } else if descriptor >= 0 {
      close(descriptor)
    }
  }

  /// Fills `buffer` from its start and returns the number of bytes; fewer than asked only at the end.
  ///
  /// - Throws: `DatasetError` for a read error, and for gzip data that is damaged or cut short.
  public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    var filled = 0
    while filled < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
      let count = stream == nil ? try readPlain(into: rest) : try readStream(into: rest)
      if count == 0 { break }
      filled += count
    }
    return filled
  }

  private func readPlain(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    while true {
      let count = Foundation.read(descriptor, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      if errno != EINTR {
        throw DatasetError(
          "cannot read (\(String(cString: strerror(errno))))", path: name, advice: "check the file")
      }
    }
  }

  private func readStream(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let count = gzread(stream, buffer.baseAddress, UInt32(min(buffer.count, 1 << 30)))
    var code: Int32 = 0
    let message = gzerror(stream, &code)
    if count < 0 || (count == 0 && code != Z_OK && code != Z_STREAM_END) {
      let reason = message.map { String(cString: $0) } ?? "error \(code)"
      throw DatasetError(
        "damaged gzip data (\(reason))", path: name, advice: "fetch or compress the file again")
    }
    return Int(count)
  }

  private static func startsLikeGzip(_ descriptor: Int32) -> Bool {
    var magic: (UInt8, UInt8) = (0, 0)
    let count = withUnsafeMutableBytes(of: &magic) { pread(descriptor, $0.baseAddress, 2, 0) }
    return count == 2 && magic == (0x1F, 0x8B)
  }
}
