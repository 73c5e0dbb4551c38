public import Foundation

/// What a server is started with.
public struct ServerOptions: Sendable {
  /// How log lines look.
  public enum LogFormat: String, Sendable, CaseIterable {
    /// A line of text each.
    case text
    /// A JSON object each.
    case json
  }

  /// The model's directory: a fine-tuned model, or an encoder, which serves vectors only.
  public var model: URL
  /// The address to listen on.
  public var host = "127.0.0.1"
  /// The port; 0 takes a free one.
  public var port = 8080
  /// The database of items, events and users that came in; nil keeps them in memory alone.
  public var data: URL?
  /// The key that requests must carry; nil lets everybody in.
  public var apiKey: String?
  /// The origin that browsers' scripts may call from, or `*`; nil sends no CORS headers.
  public var allowedOrigin: String?
  /// The most bytes of a request's body.
  public var bodyLimit = 2_000_000
  /// The most texts of a request to `/embed` and its like.
  public var clientBatchLimit = 32
  /// The most texts and lists that wait for the processor at once; beyond it requests get 429.
  public var queueLimit = 512
  /// The most tokens that go through the encoder together on one core.
  public var batchTokens = 2048
  /// Whether every text is computed by itself, so that its vector has the same bytes in any company.
  public var isExact = false
  /// The most connections at once.
  public var connectionLimit = 1024
  /// Seconds that a request may wait and compute before it gets 504.
  public var deadline = 30.0
  /// Seconds in which a request must have arrived, and after which a silent connection is closed.
  public var idleTimeout = 60.0
  /// Vectors of texts that are kept in memory; 0 keeps none.
  public var cacheSize = 10_000
  /// Texts longer than the model takes are cut; otherwise they are an error.
  public var cutsLongTexts = true
  /// Threads that compute; nil takes one for each core.
  public var threads: Int?
  /// Hours between two updates of the model from the events that came in; nil makes none.
  public var updateHours: Double?
  /// How log lines look.
  public var logFormat = LogFormat.text
  /// The least level that is logged: trace, debug, info, notice, warning, error or critical.
  public var logLevel = "info"

  /// Creates options for a model's directory.
  public init(model: URL) { self.model = model }
}

/// Why a server can't be started, in one line.
public struct ServingError: Error, CustomStringConvertible, Equatable, Sendable {
  /// The message.
  public let description: String

  /// Creates an error.
  public init(_ description: String) { self.description = description }
}
