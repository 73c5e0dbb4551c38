/// Finds the handler of a method and a path.
struct RouteTable<Handler: Sendable>: Sendable {
  /// One route: `/items/{id}` matches any one part that isn't empty.
  struct Route: Sendable {
    let method: String
    let pattern: String
    let handler: Handler
    fileprivate let parts: [Part]
  }

  fileprivate enum Part: Sendable {
    case literal([UInt8])
    case parameter(String)
  }

  private(set) var routes: [Route] = []

  /// Adds a route.
  mutating func add(_ method: String, _ pattern: String, _ handler: Handler) {
    let parts = pattern.split(separator: "/").map { part -> Part in
      part.hasPrefix("{")
        ? .parameter(String(part.dropFirst().dropLast())) : .literal(Array(part.utf8))
    }
    routes.append(Route(method: method, pattern: pattern, handler: handler, parts: parts))
  }

  /// The route of a request and its parameters, decoded.
  ///
  /// - Throws: ``APIError`` for a path that no route has, and for a method that the path hasn't.
  func find(_ method: String, _ path: String) throws -> (Route, [String: String]) {
    // Split before decoding: an id may contain an encoded slash.
    var given = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    if given.first?.isEmpty == true { given.removeFirst() }
    if given.last?.isEmpty == true { given.removeLast() }
    var allowed: [String] = []
    for route in routes {
      guard let parameters = try match(route.parts, given) else { continue }
      if route.method == method || (method == "HEAD" && route.method == "GET") {
        return (route, parameters)
      }
      allowed.append(route.method)
    }
    guard allowed.isEmpty else {
      throw APIError(
        kind: .methodNotAllowed, message: "the path has no method \(shown(method))",
        allow: allowed.joined(separator: ", "))
    }
    throw APIError.notFound("there is no such path; /openapi.json lists those that there are")
  }

  private func match(
    _ parts: [Part], _ given: [Substring.UTF8View.SubSequence]
  ) throws -> [String: String]? {
    guard parts.count == given.count else { return nil }
    var parameters: [String: String] = [:]
    for (part, text) in zip(parts, given) {
      switch part {
      case .literal(let bytes): guard text.elementsEqual(bytes) else { return nil }
      case .parameter(let name):
        guard let value = PercentCoding.decode(Substring(text).utf8) else {
          throw APIError.validation("the path has a malformed percent escape", field: name)
        }
        parameters[name] = value
      }
    }
    return parameters
  }

  private func shown(_ method: String) -> String { String(method.prefix(20)) }
}
