import Synchronization

/// A request as the routes see it: no sockets, no HTTP library.
package struct APIRequest: Sendable {
  /// GET, POST, PUT, DELETE, OPTIONS, HEAD, ...
  package var method: String
  /// The path as it was sent, percent-encoded.
  package var path: String
  /// The query as it was sent, without `?`.
  package var query: String
  /// The body.
  package var body: [UInt8]
  /// The value of the header `Authorization`.
  package var authorization: String?
  /// The value of the header `X-API-Key`.
  package var apiKey: String?
  /// The value of the header `Origin`.
  package var origin: String?
  /// The parts of the path that a route's pattern names, decoded.
  package var parameters: [String: String] = [:]
  /// What the routes find out about it, for the metrics.
  let notes = Notes()

  /// What the routes find out about a request.
  final class Notes: Sendable {
    private let batch = Atomic<Bool>(false)

    /// Whether it has a list of texts.
    var isBatch: Bool {
      get { batch.load(ordering: .relaxed) }
      set { batch.store(newValue, ordering: .relaxed) }
    }
  }

  /// Creates a request.
  package init(
    _ method: String, _ path: String, query: String = "", body: [UInt8] = [],
    authorization: String? = nil, apiKey: String? = nil, origin: String? = nil
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.body = body
    self.authorization = authorization
    self.apiKey = apiKey
    self.origin = origin
  }
}

/// Percent-decoding of URLs (RFC 3986).
enum PercentCoding {
  /// The decoded text; nil for a malformed escape or bytes that aren't UTF-8.
  ///
  /// `+` is a space in queries only (HTML forms).
  static func decode(_ text: Substring.UTF8View, plusIsSpace: Bool = false) -> String? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var iterator = text.makeIterator()
    while let byte = iterator.next() {
      switch byte {
      case UInt8(ascii: "%"):
        guard let high = iterator.next().flatMap(digit), let low = iterator.next().flatMap(digit)
        else { return nil }
        bytes.append(high << 4 | low)
      case UInt8(ascii: "+") where plusIsSpace: bytes.append(0x20)
      default: bytes.append(byte)
      }
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}

/// A query's names and values, in order.
struct QueryItems {
  private let items: [(name: String, value: String)]

  /// Parses a query.
  ///
  /// - Throws: ``APIError`` for a malformed escape.
  init(_ query: String) throws {
    items = try query.utf8.split(separator: UInt8(ascii: "&")).map { part in
      let halves = part.split(
        separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = PercentCoding.decode(Substring(halves[0]).utf8, plusIsSpace: true),
        let value = halves.count > 1
          ? PercentCoding.decode(Substring(halves[1]).utf8, plusIsSpace: true) : ""
      else { throw APIError.validation("the query has a malformed percent escape") }
      return (name, value)
    }
  }

  /// Refuses names that a route doesn't have: a misspelt one would otherwise be passed over in silence.
  ///
  /// - Throws: ``APIError`` that names the first.
  func allow(_ names: [String]) throws {
    let other = items.first { item in
      !names.contains { $0.utf8.elementsEqual(item.name.utf8) }
    }
    guard let other else { return }
    throw APIError.validation(
      "`\(other.name.prefix(100))` is no parameter of this path; it has \(names.joined(separator: ", "))",
      field: String(other.name.prefix(100)))
  }

  /// The values of a name, in order.
  func all(_ name: String) -> [String] {
    items.filter { $0.name.utf8.elementsEqual(name.utf8) }.map(\.value)
  }

  /// The value of a name that may stand once.
  ///
  /// - Throws: ``APIError`` when it stands twice.
  func one(_ name: String) throws -> String? {
    let values = all(name)
    guard values.count <= 1 else {
      throw APIError.validation("`\(name)` stands twice in the query")
    }
    return values.first
  }

  /// A whole number in a range.
  func int(_ name: String, _ range: ClosedRange<Int>, default standard: Int) throws -> Int {
    guard let text = try one(name) else { return standard }
    guard let value = Int(text), range.contains(value) else {
      throw APIError.validation(
        "`\(name)` must be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// A number in a range.
  func double(_ name: String, _ range: ClosedRange<Double>, default standard: Double) throws
    -> Double
  {
    guard let text = try one(name) else { return standard }
    guard let value = Double(text), range.contains(value) else {
      throw APIError.validation(
        "`\(name)` must be a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// `true` or `false`.
  func bool(_ name: String, default standard: Bool) throws -> Bool {
    switch try one(name) {
    case nil: standard
    case "true", "1": true
    case "false", "0": false
    default: throw APIError.validation("`\(name)` must be true or false")
    }
  }
}
