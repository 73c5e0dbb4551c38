import Foundation
import Recommendation
import Tokenization

/// Users whom an item is for, and whom a text would be for that is no item yet.
struct AudienceRoutes: Sendable {
  private let services: RouteServices

  init(_ services: RouteServices) { self.services = services }

  func add(to table: inout RouteTable<API.Endpoint>) {
    guard let live = services.live else { return }
    table.add("GET", "/items/{id}/audience") { try await ofItem($0, live) }
    table.add("POST", "/audience") { try await ofText($0, live) }
  }

  private func ofItem(_ request: APIRequest, _ live: LiveState) async throws -> APIResponse {
    let catalogue = live.catalogue
    let id = catalogue.id(try catalogue.existing(request.parameters["id"] ?? ""))
    let query = try QueryItems(request.query)
    try query.allow(["k", "offset", "include_owners"])
    var list = ListRequest()
    list.k = try query.int("k", 1...1000, default: 20)
    list.offset = try query.int("offset", 0...ListRequest.limit, default: 0)
    try list.check()
    let owners = try query.bool("include_owners", default: false)
    let wanted = list.offset + list.k
    // One more than wanted tells whether there is a next page.
    let audience = try await live.audiences.audience(
      of: .item(id), k: wanted + 1, includesOwners: owners, live)
    let page = Array(audience.members.prefix(wanted).dropFirst(list.offset))
    return .json([
      "item_id": .string(id),
      "users": AudienceRoutes.users(page, offset: list.offset),
      "offset": .integer(Int64(list.offset)),
      "next_offset": list.nextOffset(shown: page.count, hasMore: audience.members.count > wanted),
      "model_version": .string(audience.version),
    ])
  }

  private func ofText(_ request: APIRequest, _ live: LiveState) async throws -> APIResponse {
    let fields = try RequestFields(request.body)
    guard let text = try fields.string("text"), !text.isEmpty else {
      throw APIError.validation("`text` is missing", field: "text")
    }
    let k = try fields.int("k", 1...1000) ?? 20
    let explains = try fields.bool("explain", default: false)
    let record = ItemRecord(
      id: Catalogue.momentaryID, text: text, features: try ItemRecord.features(fields["features"]))
    let catalogue = live.catalogue
    let item = try await live.ranking.represent([record], online: catalogue.online)[0]
    let audience = try await live.audiences.audience(
      of: .text(record, item, catalogue.model), k: k, includesOwners: false, live
    ).members
    let mask = try catalogue.allowed(.all, conditions: [], now: Date().timeIntervalSince1970)
    let near = try await live.ranking.compute {
      RecommendationRoutes.nearest(
        item.tower, in: catalogue, k: k, allowed: mask, excluding: nil)
    }
    let reasons =
      explains
      ? try await explain(
        (record, item), to: audience.prefix(AudienceRoutes.explainedUsers).map(\.user), live,
        catalogue) : []
    return .json([
      "users": AudienceRoutes.users(audience, reasons: reasons),
      "similar": .array(
        near.map {
          [
            "item_id": .string(catalogue.id($0.item)), "similarity": .float($0.score),
            "text": .string(catalogue.text($0.item)),
          ]
        }),
      "model_version": .string(catalogue.model.version),
    ])
  }

  /// Members of an audience whose reasons are given, at most.
  private static let explainedUsers = 5

  /// Why a text is for some users.
  private func explain(
    _ text: Reasons.Described, to users: [String], _ live: LiveState, _ catalogue: Catalogue
  ) async throws -> [JSONValue] {
    try await live.ranking.compute {
      let histories = users.map { live.history(of: $0, in: catalogue) }
      let reasons = try Reasons(
        catalogue, items: histories.flatMap { $0?.places ?? [] }, text: text)
      return try histories.map {
        try reasons.explainText(to: $0?.places ?? [], features: $0?.features)
      }
    }
  }

  private static func users(
    _ audience: [AudienceService.Member], offset: Int = 0, reasons: [JSONValue] = []
  ) -> JSONValue {
    .array(
      audience.enumerated().map { place, member in
        var members = [
          JSONMember("user_id", .string(member.user)),
          JSONMember("rank", .integer(Int64(offset + place + 1))),
          JSONMember("score", .float(member.score)),
        ]
        if place < reasons.count { members.append(JSONMember("explanation", reasons[place])) }
        return .object(members)
      })
  }
}
