import Tokenization

/// The options of an adapter's configuration, at the top of a file or in one of its objects.
struct JSONOptions {
  private let file: JSONFile
  private let scope: String?

  init(_ file: JSONFile, within scope: String? = nil) {
    self.file = file
    self.scope = scope
  }

  subscript(key: String) -> JSONValue? {
    let object = scope.map { file.root[$0] } ?? file.root
    return object?[key]
  }

  /// The error for an option that can't be followed.
  func refusal(_ what: String, _ key: String) -> CheckpointError {
    CheckpointError(
      what, path: file.url.path, item: scope.map { "\($0).\(key)" } ?? key,
      advice: "use an adapter without it")
  }

  func string(_ key: String) throws -> String? { try value(key, "a string") { $0.stringValue } }

  func flag(_ key: String) throws -> Bool? { try value(key, "true or false") { $0.boolValue } }

  func number(_ key: String) throws -> Double? { try value(key, "a number") { $0.doubleValue } }

  /// Refuses options that are switched on.
  func refuse(_ keys: [String]) throws {
    for key in keys where try flag(key) ?? false { throw refusal("this isn't supported", key) }
  }

  private func value<Value>(
    _ key: String, _ kind: String, _ convert: (JSONValue) -> Value?
  ) throws -> Value? {
    guard let found = self[key], !found.isNull else { return nil }
    guard let value = convert(found) else { throw refusal("the value isn't \(kind)", key) }
    return value
  }
}
