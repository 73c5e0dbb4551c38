import Foundation
import Tokenization

/// Small text files, written atomically.
enum TextFile {
  static func write(_ text: String, _ name: String, in directory: URL) throws {
    try FileContents.save(Array(text.utf8), to: directory.appendingPathComponent(name))
  }
}
