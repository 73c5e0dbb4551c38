import Tokenization

/// What went wrong with a request, with the status and the type that clients look at.
///
/// Types and codes are those of text-embeddings-inference. Messages name the field, never a path or
/// a stack.
struct APIError: Error, Equatable {
  /// The kinds of error.
  enum Kind: String {
    case validation = "Validation"
    case empty = "Empty"
    case tokenizer = "Tokenizer"
    case backend = "Backend"
    case overloaded = "Overloaded"
    case unhealthy = "Unhealthy"
    case unauthorized = "Unauthorized"
    case notFound = "NotFound"
    case methodNotAllowed = "MethodNotAllowed"
    case tooLarge = "PayloadTooLarge"
    case requestTimeout = "RequestTimeout"
    case deadline = "DeadlineExceeded"
    case malformed = "Malformed"
    case hungUp = "ClientClosedRequest"
    case `internal` = "Internal"
  }

  let kind: Kind
  let message: String
  /// The field that is wrong, where one is.
  var field: String?
  /// Seconds after which to try again.
  var retryAfter: Int?
  /// Methods that the path has.
  var allow: String?

  static func validation(_ message: String, field: String? = nil) -> APIError {
    APIError(kind: .validation, message: message, field: field)
  }

  static func notFound(_ message: String) -> APIError {
    APIError(kind: .notFound, message: message)
  }

  /// What nobody reads any more.
  static let hungUp = APIError(kind: .hungUp, message: "the client hung up")

  var status: Int {
    switch kind {
    case .validation, .tokenizer: 422
    case .empty, .malformed: 400
    case .backend: 424
    case .overloaded: 429
    case .unhealthy: 503
    case .unauthorized: 401
    case .notFound: 404
    case .methodNotAllowed: 405
    case .tooLarge: 413
    case .requestTimeout: 408
    case .deadline: 504
    // nginx's: it stands in the log and the metrics alone.
    case .hungUp: 499
    case .internal: 500
    }
  }

  /// `{"error": message, "error_type": type}`, or OpenAI's object on its routes.
  func response(openAI: Bool) -> APIResponse {
    var status = status
    // OpenAI's API answers 400 where text-embeddings-inference says 422.
    if openAI, status == 422 { status = 400 }
    let value: JSONValue =
      openAI
      ? [
        "error": [
          "message": .string(message), "type": .string(openAIType),
          "param": field.map { .string($0) } ?? .null, "code": openAICode,
        ]
      ]
      : ["error": .string(message), "error_type": .string(kind.rawValue)]
    var response = APIResponse.json(value, status: status)
    if let retryAfter { response.headers.append(("Retry-After", String(retryAfter))) }
    if let allow { response.headers.append(("Allow", allow)) }
    if kind == .unauthorized { response.headers.append(("WWW-Authenticate", "Bearer")) }
    return response
  }

  private var openAIType: String {
    switch kind {
    case .unauthorized: "authentication_error"
    case .overloaded: "rate_limit_error"
    case .unhealthy, .internal, .deadline, .backend: "server_error"
    default: "invalid_request_error"
    }
  }

  private var openAICode: JSONValue {
    switch kind {
    case .unauthorized: "invalid_api_key"
    case .overloaded: "rate_limit_exceeded"
    case .notFound where field == "model": "model_not_found"
    default: .null
    }
  }
}
