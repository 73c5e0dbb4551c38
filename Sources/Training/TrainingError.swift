/// What stops a training run: the message says what is wrong, where, and what to do.
public struct TrainingError: Error, CustomStringConvertible, Equatable, Sendable {
  /// The whole message, in one line.
  public let description: String

  /// Creates an error from its message.
  public init(_ description: String) { self.description = description }
}
