import Foundation

/// Lines for people, on standard error: standard output carries results only.
enum StandardError {
  /// Writes one line.
  static func write(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }

  /// Whether standard error is a terminal, where a progress line may be redrawn.
  static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }
}
