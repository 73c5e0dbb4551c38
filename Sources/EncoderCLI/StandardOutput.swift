import ArgumentParser
import Foundation

/// Results, on standard output.
///
/// Nothing is kept back: what a command returned from writing is written, or an error told.
enum StandardOutput {
  /// Writes all bytes.
  ///
  /// - Throws: ``CLIError`` when they can't be written; `ExitCode` 141 when nobody reads any more, which is
  ///   what SIGPIPE ends with.
  static func write(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { all in
      var rest = all[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes {
          Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count)
        }
        if count > 0 {
          rest = rest.dropFirst(count)
        } else if errno == EAGAIN {
          var wait = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
          _ = poll(&wait, 1, -1)
        } else if errno != EINTR {
          throw failure(errno)
        }
      }
    }
  }

  /// Writes a line.
  ///
  /// - Throws: as ``write(_:)``.
  static func write(line: String) throws { try write(Array((line + "\n").utf8)) }

  private static func failure(_ code: Int32) -> any Error {
    if code == EPIPE { return ExitCode(141) }
    return CLIError(
      "the results can't be written: standard output: \(String(cString: strerror(code))); "
        + "make room, or send them elsewhere")
  }
}
