import Foundation
import Recommendation
import Tokenization

/// What a ranked list may have and how it is cut; the same by query and by body.
struct ListRequest: Sendable {
  var k = 20
  var offset = 0
  var excludesSeen = true
  var candidates = Catalogue.Candidates.all
  /// Ids that alone may be listed; nil allows what `candidates` does.
  var only: [String]?
  var conditions: [String] = []
  /// Ids that are left out of this list.
  var blocked: [String] = []
  var diversity = 0.0
  var explains = false

  /// The longest list with the pages before it.
  static let limit = 10_000
  /// The most items whose reasons are given at once.
  static let explanationLimit = 50

  /// The first page of a usual list.
  init() {}

  /// Reads a query.
  ///
  /// - Parameter isPersonal: whether the list is for somebody, and has what depends on a history.
  init(query: String, isPersonal: Bool = true) throws {
    let items = try QueryItems(query)
    try items.allow(
      ["k", "offset", "candidates", "where", "block"]
        + (isPersonal ? ["exclude_seen", "diversity", "explain"] : []))
    k = try items.int("k", 1...1000, default: k)
    offset = try items.int("offset", 0...ListRequest.limit, default: 0)
    excludesSeen = try items.bool("exclude_seen", default: true)
    diversity = try items.double("diversity", 0...1, default: 0)
    explains = try items.bool("explain", default: false)
    conditions = items.all("where")
    blocked = items.all("block")
    if let text = try items.one("candidates") {
      try setCandidates(
        text, list: text.contains(",") ? text.split(separator: ",").map(String.init) : nil)
    }
    try check()
  }

  /// Reads a body.
  init(_ fields: RequestFields) throws {
    k = try fields.int("k", 1...1000) ?? k
    offset = try fields.int("offset", 0...ListRequest.limit) ?? 0
    excludesSeen = try fields.bool("exclude_seen", default: true)
    diversity = try fields.double("diversity", 0...1) ?? 0
    explains = try fields.bool("explain", default: false)
    blocked = try fields.identifiers("block") ?? []
    if let field = fields["where"] {
      conditions = try ListRequest.conditions(field)
    }
    if let field = fields["candidates"] {
      if let text = field.stringValue {
        try setCandidates(text, list: nil)
      } else {
        only = try fields.identifiers("candidates")
      }
    }
    try check()
  }

  private mutating func setCandidates(_ text: String, list: [String]?) throws {
    if let list {
      only = list
    } else if let known = Catalogue.Candidates(rawValue: text) {
      candidates = known
    } else {
      throw APIError.validation(
        "`candidates` must be all, warm, cold or a list of item ids", field: "candidates")
    }
  }

  /// `{"column": "value"}`, or a list of `column=value`.
  private static func conditions(_ field: JSONValue) throws -> [String] {
    if let members = field.objectValue {
      return try members.flatMap { member -> [String] in
        let values = member.value.arrayValue ?? [member.value]
        return try values.map { value in
          switch value {
          case .string(let text): "\(member.key)=\(text)"
          case .integer(let number): "\(member.key)=\(number)"
          case .number(let number): "\(member.key)=\(number)"
          default: throw APIError.validation("`where` must hold strings", field: "where")
          }
        }
      }
    }
    guard let list = field.arrayValue else {
      throw APIError.validation(
        "`where` must be an object, or a list of COLUMN=VALUE", field: "where")
    }
    return try list.map { element in
      guard let text = element.stringValue else {
        throw APIError.validation("`where` must hold strings", field: "where")
      }
      return text
    }
  }

  /// - Throws: ``APIError`` for a list that is too long.
  func check() throws {
    guard offset + k <= ListRequest.limit else {
      throw APIError.validation(
        "`offset` and `k` together must be at most \(ListRequest.limit)", field: "offset")
    }
    guard conditions.count <= 16 else {
      throw APIError.validation("`where` stands more than 16 times", field: "where")
    }
    guard blocked.count <= 10_000, only?.count ?? 0 <= 10_000 else {
      throw APIError.validation("a list of ids has more than 10000", field: "candidates")
    }
    guard !explains || k <= ListRequest.explanationLimit else {
      throw APIError.validation(
        "`explain` takes at most \(ListRequest.explanationLimit) items; lower `k`", field: "k")
    }
  }

  /// Where the next page begins, after one with `shown` items; null behind the last one.
  func nextOffset(shown: Int, hasMore: Bool) -> JSONValue {
    hasMore && shown > 0 && offset + k < ListRequest.limit
      ? .integer(Int64(offset + shown)) : .null
  }

  /// For each place of a catalogue whether the list may have it; nil allows all.
  func allowed(in catalogue: Catalogue) throws -> [Bool]? {
    let mask = try catalogue.allowed(
      candidates, conditions: conditions, now: Date().timeIntervalSince1970)
    guard let only else { return mask }
    var narrow = [Bool](repeating: false, count: catalogue.count)
    for id in only {
      guard let place = catalogue.place(of: id) else { continue }
      narrow[Int(place)] = mask?[Int(place)] ?? true
    }
    return narrow
  }
}
