import Datasets
import Foundation
import Recommendation
import Tokenization

/// Behaviours come in; users are shown and forgotten.
struct UserRoutes: Sendable {
  private let services: RouteServices
  private static let eventLimit = 10_000

  init(_ services: RouteServices) { self.services = services }

  func add(to table: inout RouteTable<API.Endpoint>) {
    guard let live = services.live else { return }
    table.add("POST", "/events", isWrite: true) { try await take($0, live) }
    table.add("GET", "/users") { try list($0, live) }
    table.add("GET", "/users/{id}") { try get($0, live) }
    table.add("DELETE", "/users/{id}", isWrite: true) { request in
      let user = try Identifier.check(request.parameters["id"] ?? "", field: "id")
      try await live.write([.forget(user: user, hash: portableHash(user))])
      return .json([
        "user_id": .string(user), "forgotten": true,
        "remaining":
          "weights learnt from all users together; encoder forget removes the user from the model",
      ])
    }
  }

  /// One event, a list of them, or `{"events": [...]}`.
  private func take(_ request: APIRequest, _ live: LiveState) async throws -> APIResponse {
    let value = try RequestFields.parse(request.body)
    let list = value["events"]?.arrayValue ?? value.arrayValue ?? [value]
    guard list.count <= UserRoutes.eventLimit else {
      throw APIError.validation(
        "`events` has \(list.count) events, more than \(UserRoutes.eventLimit)", field: "events")
    }
    let now = Date().timeIntervalSince1970
    let events = try list.map { try event($0, now) }
    if !events.isEmpty { try await live.write([.events(events)]) }
    let catalogue = live.catalogue
    let unknown = events.reduce(0) { $0 + (catalogue.place(of: $1.item) == nil ? 1 : 0) }
    return .json([
      "accepted": .integer(Int64(events.count)), "unknown_items": .integer(Int64(unknown)),
    ])
  }

  private func event(_ value: JSONValue, _ now: Double) throws -> Event {
    let fields = try RequestFields(value)
    let label =
      try fields.double("label", -1e9...1e9) ?? fields.double("rating", -1e9...1e9) ?? 1
    return Event(
      user: try Identifier.read(fields["user_id"], field: "user_id"),
      item: try Identifier.read(fields["item_id"], field: "item_id"), value: Float(label),
      time: try Timestamps.read(fields["timestamp"], field: "timestamp") ?? now)
  }

  private func list(_ request: APIRequest, _ live: LiveState) throws -> APIResponse {
    let query = try QueryItems(request.query)
    try query.allow(["prefix", "limit", "offset"])
    let limit = try query.int("limit", 1...1000, default: 20)
    let offset = try query.int("offset", 0...Int(Int32.max), default: 0)
    let prefix = Array((try query.one("prefix") ?? "").utf8)
    let trained = live.catalogue.online.recommender.users
    var (page, seen, hasMore): ([String], Int, Bool) = ([], 0, false)
    /// Whether there is room for more users.
    func take(_ user: String) -> Bool {
      guard user.utf8.starts(with: prefix) else { return true }
      seen += 1
      if seen > offset, page.count < limit {
        page.append(user)
      } else if seen > offset {
        hasMore = true
      }
      return !hasMore
    }
    let active = IDTable(live.events.users())
    var isOpen = active.strings.allSatisfy(take)
    var row = 0
    while isOpen, row < trained.count {
      let user = trained[row]
      if active.index(of: user) == nil, !live.events.isForgotten(user) { isOpen = take(user) }
      row += 1
    }
    return .json([
      "users": .array(page.map { .string($0) }), "offset": .integer(Int64(offset)),
      "next_offset": hasMore ? .integer(Int64(offset + page.count)) : .null,
    ])
  }

  private func get(_ request: APIRequest, _ live: LiveState) throws -> APIResponse {
    let user = request.parameters["id"] ?? ""
    let catalogue = live.catalogue
    guard let history = live.history(of: user, in: catalogue) else {
      throw APIError.notFound("nothing is known of this user")
    }
    let fresh = IDTable(live.events.items(of: user))
    return .json([
      "user_id": .string(user),
      "history": .array(
        history.places.suffix(1000).map { place in
          let id = catalogue.id(place)
          return [
            "item_id": .string(id), "text": .string(catalogue.text(place)),
            "source": fresh.index(of: id) == nil ? "training" : "events",
          ]
        }),
    ])
  }
}
