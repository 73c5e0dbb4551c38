import Tokenization

/// A response as the routes make it.
package struct APIResponse: Sendable {
  /// The status code.
  package var status: Int
  /// The media type of the body.
  package var contentType: String
  /// Further headers.
  package var headers: [(name: String, value: String)]
  /// The body.
  package var body: [UInt8]

  /// Creates a response.
  package init(
    status: Int = 200, contentType: String = "application/json",
    headers: [(name: String, value: String)] = [], body: [UInt8] = []
  ) {
    self.status = status
    self.contentType = contentType
    self.headers = headers
    self.body = body
  }

  /// A JSON document.
  static func json(_ value: JSONValue, status: Int = 200) -> APIResponse {
    APIResponse(status: status, body: value.serialized())
  }

  /// A status without a body.
  static func empty(_ status: Int = 200) -> APIResponse {
    APIResponse(status: status, contentType: "text/plain; charset=utf-8")
  }
}
