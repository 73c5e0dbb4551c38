import Tokenization

/// The body of a request as a JSON object whose fields are checked as they are read.
struct RequestFields {
  let value: JSONValue

  /// Parses a body.
  ///
  /// - Throws: ``APIError`` for malformed JSON, doubled keys, nesting deeper than 128, or no object.
  init(_ body: [UInt8]) throws {
    try self.init(RequestFields.parse(body))
  }

  init(_ value: JSONValue) throws {
    guard case .object = value else {
      throw APIError(kind: .malformed, message: "the body must be a JSON object")
    }
    self.value = value
  }

  static func parse(_ body: [UInt8]) throws -> JSONValue {
    guard !body.isEmpty else { throw APIError(kind: .empty, message: "the body is empty") }
    do {
      return try JSONValue.parse(body, rejectDuplicateKeys: true)
    } catch let error as JSONError {
      throw APIError(kind: .malformed, message: "the body is \(error)")
    }
  }

  /// A field that may be missing or null.
  subscript(name: String) -> JSONValue? {
    guard let field = value[name], !field.isNull else { return nil }
    return field
  }

  /// A field that must be there.
  func required(_ name: String) throws -> JSONValue {
    guard let field = self[name] else {
      throw APIError.validation("`\(name)` is missing", field: name)
    }
    return field
  }

  func string(_ name: String) throws -> String? {
    guard let field = self[name] else { return nil }
    guard let text = field.stringValue else {
      throw APIError.validation("`\(name)` must be a string", field: name)
    }
    return text
  }

  func bool(_ name: String, default standard: Bool) throws -> Bool {
    guard let field = self[name] else { return standard }
    guard let value = field.boolValue else {
      throw APIError.validation("`\(name)` must be true or false", field: name)
    }
    return value
  }

  func int(_ name: String, _ range: ClosedRange<Int>) throws -> Int? {
    guard let field = self[name] else { return nil }
    guard let value = field.intValue, range.contains(value) else {
      throw APIError.validation(
        "`\(name)` must be a whole number from \(range.lowerBound) to \(range.upperBound)",
        field: name)
    }
    return value
  }

  func double(_ name: String, _ range: ClosedRange<Double>) throws -> Double? {
    guard let field = self[name] else { return nil }
    guard let value = field.doubleValue, range.contains(value) else {
      throw APIError.validation(
        "`\(name)` must be a number from \(range.lowerBound) to \(range.upperBound)", field: name)
    }
    return value
  }

  /// A list of ids: strings, or whole numbers as their digits.
  func identifiers(_ name: String) throws -> [String]? {
    guard let field = self[name] else { return nil }
    guard let list = field.arrayValue else {
      throw APIError.validation("`\(name)` must be a list of ids", field: name)
    }
    return try list.enumerated().map { place, element in
      switch element {
      case .string(let text): return text
      case .integer(let number): return String(number)
      default: throw APIError.validation("`\(name)[\(place)]` must be an id", field: name)
      }
    }
  }

  /// A list of strings.
  func strings(_ name: String) throws -> [String]? {
    guard let field = self[name] else { return nil }
    guard let list = field.arrayValue else {
      throw APIError.validation("`\(name)` must be a list of strings", field: name)
    }
    return try list.enumerated().map { place, element in
      guard let text = element.stringValue else {
        throw APIError.validation("`\(name)[\(place)]` must be a string", field: name)
      }
      return text
    }
  }
}

/// Ids of items and users from outside.
enum Identifier {
  static let limit = 512

  /// Checks an id: 1 to 512 bytes without control characters.
  static func check(_ id: String, field: String) throws -> String {
    guard !id.isEmpty, id.utf8.count <= limit else {
      throw APIError.validation("`\(field)` must have from 1 to \(limit) bytes", field: field)
    }
    guard !id.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
      throw APIError.validation("`\(field)` must not have control characters", field: field)
    }
    return id
  }

  /// An id in a JSON document: a string, or a whole number as its digits.
  static func read(_ value: JSONValue?, field: String) throws -> String {
    switch value {
    case .string(let text): return try check(text, field: field)
    case .integer(let number): return String(number)
    default: throw APIError.validation("`\(field)` must be a string", field: field)
    }
  }
}
