/// What is wrong with an input or output file, where, and what to do about it.
///
/// Reads `what: path:line; advice`.
public struct DatasetError: Error, CustomStringConvertible, Equatable, Sendable {
  /// What is wrong.
  public let what: String
  /// The file, or `standard input`.
  public let path: String
  /// The line in the file, from 1, when it is known.
  public let line: Int?
  /// What to do.
  public let advice: String

  /// Creates an error about `path`.
  public init(_ what: String, path: String, line: Int? = nil, advice: String) {
    self.what = what
    self.path = path
    self.line = line
    self.advice = advice
  }

  /// `what: path:line; advice`.
  public var description: String {
    let place = line.map { "\(path):\($0)" } ?? path
    return "\(what): \(place); \(advice)"
  }
}
