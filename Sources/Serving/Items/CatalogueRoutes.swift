import Datasets
import Foundation
import Recommendation
import Tokenization

/// Items come, change and go.
struct CatalogueRoutes: Sendable {
  private let services: RouteServices
  private static let listLimit = 256
  private static let textLimit = 100_000

  init(_ services: RouteServices) { self.services = services }

  func add(to table: inout RouteTable<API.Endpoint>) {
    guard let live = services.live else { return }
    table.add("GET", "/items") { try search($0, live) }
    table.add("POST", "/items", isWrite: true) { try await putMany($0, live) }
    table.add("GET", "/items/{id}") { try get($0, live) }
    table.add("PUT", "/items/{id}", isWrite: true) { try await put($0, live) }
    table.add("DELETE", "/items/{id}", isWrite: true) { try await remove($0, live) }
    table.add("GET", "/blocklist") { _ in
      .json(["items": .array(live.catalogue.blocked.ids.map { .string($0) })])
    }
    table.add("PUT", "/blocklist/{id}", isWrite: true) { request in
      let id = try Identifier.check(request.parameters["id"] ?? "", field: "id")
      try await live.write([.block(id)])
      return .json(["item_id": .string(id), "blocked": true])
    }
    table.add("DELETE", "/blocklist/{id}", isWrite: true) { request in
      let id = try Identifier.check(request.parameters["id"] ?? "", field: "id")
      try await live.write([.unblock(id)])
      return .json(["item_id": .string(id), "blocked": false])
    }
  }

  /// The first items whose id or text contains some words, in any case.
  private func search(_ request: APIRequest, _ live: LiveState) throws -> APIResponse {
    let query = try QueryItems(request.query)
    try query.allow(["q", "limit", "offset"])
    let limit = try query.int("limit", 1...1000, default: 20)
    let offset = try query.int("offset", 0...Int(Int32.max), default: 0)
    let wanted = try query.one("q")?.lowercased()
    let catalogue = live.catalogue
    var found: [JSONValue] = []
    var skipped = 0
    // The newest first: those one looks for after putting them.
    for place in (0..<Int32(catalogue.count)).reversed() {
      let id = catalogue.id(place)
      if catalogue.removed.contains(id) { continue }
      if let wanted, !id.lowercased().contains(wanted),
        !catalogue.text(place).lowercased().contains(wanted)
      {
        continue
      }
      if skipped < offset {
        skipped += 1
        continue
      }
      found.append(object(place, catalogue))
      if found.count == limit { break }
    }
    return .json(["items": .array(found)])
  }

  private func object(_ place: Int32, _ catalogue: Catalogue) -> JSONValue {
    let record = catalogue.record(place)
    return [
      "item_id": .string(record.id), "text": .string(record.text),
      "features": record.featuresJSON,
      "expires_at": record.expiresAt.map { .number($0) } ?? .null,
      "blocked": .bool(catalogue.blocked.contains(record.id)),
      "new": .bool(!catalogue.isWarm(place)),
      "behaviors": .integer(
        Int(place) < catalogue.trainedCount
          ? Int64(catalogue.online.recommender.space.counts[Int(place)]) : 0),
    ]
  }

  private func get(_ request: APIRequest, _ live: LiveState) throws -> APIResponse {
    let catalogue = live.catalogue
    return .json(object(try catalogue.existing(request.parameters["id"] ?? ""), catalogue))
  }

  private func record(_ fields: RequestFields, id: String) throws -> ItemRecord {
    guard let text = try fields.string("text") else {
      throw APIError.validation("`text` is missing", field: "text")
    }
    guard text.utf8.count <= CatalogueRoutes.textLimit else {
      throw APIError.validation(
        "`text` has more than \(CatalogueRoutes.textLimit) bytes", field: "text")
    }
    return ItemRecord(
      id: id, text: text, features: try ItemRecord.features(fields["features"]),
      expiresAt: try Timestamps.read(fields["expires_at"], field: "expires_at"))
  }

  private func put(_ request: APIRequest, _ live: LiveState) async throws -> APIResponse {
    let id = try Identifier.check(request.parameters["id"] ?? "", field: "id")
    let record = try record(RequestFields(request.body), id: id)
    let catalogue = live.catalogue
    let existed = catalogue.place(of: id) != nil && !catalogue.removed.contains(id)
    try await live.put([record])
    return .json(status(record, in: live.catalogue), status: existed ? 200 : 201)
  }

  /// A list of items, or `{"items": [...]}`.
  private func putMany(_ request: APIRequest, _ live: LiveState) async throws -> APIResponse {
    let value = try RequestFields.parse(request.body)
    guard let list = try value.arrayValue ?? RequestFields(value).required("items").arrayValue
    else {
      throw APIError.validation("`items` must be a list", field: "items")
    }
    guard list.count <= CatalogueRoutes.listLimit else {
      throw APIError.validation(
        "`items` has \(list.count) items, more than \(CatalogueRoutes.listLimit)", field: "items")
    }
    let records = try list.map { element in
      let item = try RequestFields(element)
      return try record(item, id: Identifier.read(item["item_id"], field: "item_id"))
    }
    if !records.isEmpty { try await live.put(records) }
    let catalogue = live.catalogue
    return .json(["items": .array(records.map { status($0, in: catalogue) })])
  }

  /// Training's items keep the vectors that behaviours gave them; text and columns change at once.
  private func status(_ record: ItemRecord, in catalogue: Catalogue) -> JSONValue {
    let isTrained = catalogue.place(of: record.id).map { Int($0) < catalogue.trainedCount } ?? false
    return [
      "item_id": .string(record.id), "vectors": isTrained ? "kept until the next update" : "new",
    ]
  }

  private func remove(_ request: APIRequest, _ live: LiveState) async throws -> APIResponse {
    let id = request.parameters["id"] ?? ""
    _ = try live.catalogue.existing(id)
    try await live.write([.removeItem(id)])
    return .json(["item_id": .string(id), "deleted": true])
  }
}

/// Times in JSON: seconds or milliseconds since 1970, or a date and time as text.
enum Timestamps {
  /// The largest number that is taken for a time.
  private static let limit = 1e15

  static func read(_ value: JSONValue?, field: String) throws -> Double? {
    guard let value else { return nil }
    if let number = value.doubleValue, abs(number) <= limit {
      // Seconds reach 1e11 in the year 5138; what is larger is in milliseconds.
      return abs(number) > 1e11 ? number / 1000 : number
    }
    if var text = value.stringValue, let time = text.withUTF8(parseTimestamp), abs(time) <= limit {
      return time
    }
    throw APIError.validation(
      "`\(field)` must be seconds since 1970 or a time such as 2030-01-31T12:00:00Z", field: field)
  }

  /// Whole seconds of a time that may be any number, as a database of another program's may hold it.
  static func wholeSeconds(_ time: Double) -> Int {
    time.isNaN ? 0 : Int(min(max(time, -limit), limit))
  }
}
