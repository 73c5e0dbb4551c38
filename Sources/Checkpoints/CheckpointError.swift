/// What is wrong with a checkpoint, where, and what to do about it.
///
/// Reads `what: place; advice`, the place being a file and, where there is one, a tensor or key in it.
public struct CheckpointError: Error, CustomStringConvertible, Equatable, Sendable {
  /// What is wrong.
  public let what: String
  /// The file, and the tensor or key inside it.
  public let place: String
  /// What to do.
  public let advice: String

  /// Creates an error about `path`, or about one `item` (a tensor, a JSON key) of that file.
  public init(_ what: String, path: String, item: String? = nil, advice: String) {
    self.what = what
    place = item.map { "\(path): \($0)" } ?? path
    self.advice = advice
  }

  /// `what: place; advice`.
  public var description: String { "\(what): \(place); \(advice)" }
}
