import Foundation
import Tokenization

/// An item as it came in: what is stored, shown and filtered by.
struct ItemRecord: Sendable, Equatable {
  var id: String
  var text: String
  /// Feature columns and values, in the order given.
  var features: [Feature]
  /// Seconds since 1970 after which the item is no longer recommended.
  var expiresAt: Double?

  /// A column's value.
  struct Feature: Sendable, Equatable {
    var name: String
    var value: String

    static func == (a: Feature, b: Feature) -> Bool {
      a.name.utf8.elementsEqual(b.name.utf8) && a.value.utf8.elementsEqual(b.value.utf8)
    }
  }

  /// The value of a column, compared byte by byte.
  func feature(_ name: String) -> String? {
    features.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
  }

  /// The features as a JSON object.
  var featuresJSON: JSONValue {
    .object(features.map { JSONMember($0.name, .string($0.value)) })
  }

  /// Reads features: strings, numbers, truth values, or lists of them, which `|` joins.
  static func features(_ value: JSONValue?) throws -> [Feature] {
    guard let value, !value.isNull else { return [] }
    guard let members = value.objectValue else {
      throw APIError.validation("`features` must be an object", field: "features")
    }
    guard members.count <= 256 else {
      throw APIError.validation("`features` has more than 256 columns", field: "features")
    }
    return try members.map { member in
      let text: String? =
        if let list = member.value.arrayValue {
          try list.map { element -> String in
            guard let text = plain(element) else { throw wrong(member.key) }
            return text
          }.joined(separator: "|")
        } else {
          plain(member.value)
        }
      guard let text else { throw wrong(member.key) }
      return Feature(name: member.key, value: text)
    }
  }

  private static func wrong(_ name: String) -> APIError {
    .validation(
      "`features.\(name)` must be a string, a number, true, false, or a list of them",
      field: "features")
  }

  private static func plain(_ value: JSONValue) -> String? {
    switch value {
    case .string(let text): text
    case .integer(let number): String(number)
    case .number(let number): "\(number)"
    case .bool(let flag): flag ? "1" : "0"
    case .null: ""
    case .array, .object: nil
    }
  }
}

/// A behaviour as it came in.
struct Event: Sendable, Equatable {
  var user: String
  var item: String
  /// The label or rating; 1 where none was given.
  var value: Float
  /// Seconds since 1970.
  var time: Double
}
