import Foundation
import Kernels
import Recommendation
import Tokenization

/// Ranked lists: for users, for sessions, and items like an item.
struct RecommendationRoutes: Sendable {
  private let services: RouteServices

  init(_ services: RouteServices) { self.services = services }

  func add(to table: inout RouteTable<API.Endpoint>) {
    guard let live = services.live else { return }
    table.add("GET", "/users/{id}/recommendations") { try await forUser($0, live) }
    table.add("POST", "/recommendations") { try await forSession($0, live) }
    table.add("GET", "/items/{id}/similar") { try await similar($0, live) }
    table.add("GET", "/items/{id}/audience") { try await audience($0, live) }
    table.add("POST", "/audience") { try await audienceOfText($0, live) }
  }

  private func forUser(_ request: APIRequest, _ live: LiveState) async throws -> APIResponse {
    let user = try Identifier.check(request.parameters["id"] ?? "", field: "id")
    let list = try ListRequest(query: request.query)
    let catalogue = live.catalogue
    // Somebody whose events are all negative is known, and gets what anybody new would.
    let known = live.history(of: user, in: catalogue)
    let anonymous =
      live.events.isKnown(user) ? UserHistory(places: [], features: nil) : nil
    guard let history = known ?? anonymous else {
      throw APIError.notFound(
        "nothing is known of this user; send behaviours to /events, or ask /recommendations")
    }
    return try await respond(
      list, history.online(in: catalogue), seen: history.places, live, catalogue,
      head: [JSONMember("user_id", .string(user))])
  }

  /// A list for somebody without a name: items, a text, or both.
  private func forSession(_ request: APIRequest, _ live: LiveState) async throws -> APIResponse {
    let fields = try RequestFields(request.body)
    let list = try ListRequest(fields)
    let catalogue = live.catalogue
    let ids = try fields.identifiers("items") ?? []
    let text = try fields.string("text")
    guard !ids.isEmpty || text != nil else {
      throw APIError.validation("one of `items` and `text` is needed", field: "items")
    }
    guard ids.count <= 1000 else {
      throw APIError.validation("`items` has more than 1000 ids", field: "items")
    }
    var places: [Int32] = []
    for id in ids {
      let place = try catalogue.existing(id)
      if !places.contains(place) { places.append(place) }
    }
    var history = UserHistory(places: places, features: nil).online(in: catalogue)
    var described: Described?
    if let text {
      guard !text.isEmpty else {
        throw APIError.validation("`text` must not be empty", field: "text")
      }
      let record = ItemRecord(
        id: Catalogue.momentaryID, text: text,
        features: try ItemRecord.features(fields["features"]))
      let item = try await live.ranking.represent([record], online: catalogue.online)[0]
      if ids.isEmpty {
        history = OnlineHistory(like: item)
      } else {
        history.newItems.append((item, 1))
      }
      described = (record, item)
    }
    return try await respond(
      list, history, seen: places, described: described, live, catalogue, head: [])
  }

  /// A text that stands in a history, with its vectors.
  private typealias Described = (record: ItemRecord, item: OnlineItem)

  private func respond(
    _ list: ListRequest, _ history: OnlineHistory, seen: [Int32], described: Described? = nil,
    _ live: LiveState, _ catalogue: Catalogue, head: [JSONMember]
  ) async throws -> APIResponse {
    var excluded = list.excludesSeen ? seen : []
    excluded += list.blocked.compactMap { catalogue.place(of: $0) }
    let reranking = try MaximalMarginalRelevance(diversity: list.diversity)
    let wanted = min(list.offset + list.k, catalogue.count)
    // One more than wanted tells whether there is a next page.
    let query = OnlineModel.Query(
      history: history,
      k: list.diversity > 0
        ? max(wanted + 1, MaximalMarginalRelevance.pagedPoolSize) : wanted + 1,
      allowed: try list.allowed(in: catalogue), excluded: excluded)
    var elements = try await live.ranking.rank(query, in: catalogue)
    let hasMore = elements.count > wanted
    if list.diversity > 0 {
      elements = try await diversified(elements, wanted, reranking, live, catalogue)
    }
    let page = Array(elements.prefix(wanted).dropFirst(list.offset))
    let reasons =
      list.explains ? try await explain(page, seen, history, described, live, catalogue) : []
    let calibration = catalogue.online.recommender.calibration
    let shown = page.enumerated().map { place, element -> JSONValue in
      var members = [
        JSONMember("item_id", .string(catalogue.id(element.item))),
        JSONMember("rank", .integer(Int64(list.offset + place + 1))),
        JSONMember("score", .float(element.score)),
        JSONMember("probability", .number(calibration.probability(Double(element.score)))),
        JSONMember("text", .string(catalogue.text(element.item))),
        JSONMember("new", .bool(!catalogue.isWarm(element.item))),
      ]
      if list.explains { members.append(JSONMember("explanation", reasons[place])) }
      return .object(members)
    }
    return .json(
      .object(
        head + [
          JSONMember("items", .array(shown)), JSONMember("offset", .integer(Int64(list.offset))),
          JSONMember("next_offset", list.nextOffset(shown: page.count, hasMore: hasMore)),
          JSONMember("model_version", .string(catalogue.model.version)),
        ]))
  }

  private func diversified(
    _ pool: [RankedLists.Element], _ k: Int, _ reranking: MaximalMarginalRelevance,
    _ live: LiveState, _ catalogue: Catalogue
  ) async throws -> [RankedLists.Element] {
    try await live.ranking.compute {
      let width = catalogue.online.recommender.models.network.configuration.width
      let compared = pool.prefix(MaximalMarginalRelevance.pagedPoolSize)
      let vectors = DenseMatrix(
        rowCount: compared.count, columnCount: width,
        values: compared.flatMap { catalogue.vector($0.item) })
      let numbered = pool.enumerated().map {
        RankedLists.Element(item: Int32($0), score: $1.score)
      }
      return reranking.selectPaged(numbered, k: k, vectors: vectors).map { pool[Int($0.item)] }
    }
  }

  /// Reasons for a page of a list, in its order: of the history that it was ranked for.
  private func explain(
    _ page: [RankedLists.Element], _ seen: [Int32], _ history: OnlineHistory,
    _ described: Described?, _ live: LiveState, _ catalogue: Catalogue
  ) async throws -> [JSONValue] {
    guard !page.isEmpty else { return [] }
    return try await live.ranking.compute {
      // A text alone is ranked with the items nearest to it, which have weights.
      var weighted =
        seen.isEmpty
        ? history.items.map { ($0.item, $0.weight) } : seen.sorted().map { ($0, Float(1)) }
      var whole = catalogue
      if let described {
        // The text itself stands behind all items for a moment.
        weighted.append((Int32(catalogue.count), 1))
        whole = catalogue.adding(described.record, described.item)
      }
      let recommender = try whole.recommender()
      let histories = try SparseMatrix(
        rowCount: 1, columnCount: whole.count, offsets: [0, weighted.count],
        columns: weighted.map(\.0), values: weighted.map(\.1))
      let features = history.features.map {
        DenseMatrix(rowCount: 1, columnCount: $0.count, values: $0)
      }
      let explanations = try Explainer(recommender, workers: Workers(count: 1))
        .explain(page.map(\.item), histories: histories, row: 0, userFeatures: features)
      return explanations.map { RecommendationRoutes.json($0, whole) }
    }
  }

  /// An item's id; null for a text, which has none.
  private static func id(_ place: Int32, in catalogue: Catalogue) -> JSONValue {
    let id = catalogue.id(place)
    return id == Catalogue.momentaryID ? .null : .string(id)
  }

  private static func json(_ explanation: Explanation, _ catalogue: Catalogue) -> JSONValue {
    [
      "parts": .array(
        explanation.parts.map {
          [
            "name": .string($0.part.rawValue), "weight": number($0.weight),
            "score": number($0.score), "contribution": number($0.contribution),
          ]
        }),
      "shift": number(explanation.shift), "tower_score": number(explanation.towerScore),
      "history": .array(
        explanation.history.map {
          [
            "item_id": id($0.item, in: catalogue), "text": .string(catalogue.text($0.item)),
            "similarity": number($0.similarity), "contribution": number($0.contribution),
            "share": number($0.share), "effect": $0.effect.map(number) ?? .null,
          ]
        }),
      "words": .array(
        explanation.words.map {
          [
            "word": .string($0.word), "attribution": number($0.attribution),
            "effect": $0.effect.map(number) ?? .null,
          ]
        }),
    ]
  }

  private static func number(_ value: Float) -> JSONValue { .float(value) }

  // MARK: Items like an item

  private func similar(_ request: APIRequest, _ live: LiveState) async throws -> APIResponse {
    let catalogue = live.catalogue
    let place = try catalogue.existing(request.parameters["id"] ?? "")
    let list = try ListRequest(query: request.query, isPersonal: false)
    var mask = try list.allowed(in: catalogue) ?? [Bool](repeating: true, count: catalogue.count)
    for id in list.blocked {
      if let place = catalogue.place(of: id) { mask[Int(place)] = false }
    }
    let (wanted, allowed) = (list.offset + list.k, mask)
    // One more than wanted tells whether there is a next page.
    let elements = try await live.ranking.compute {
      RecommendationRoutes.nearest(
        catalogue.vector(place), in: catalogue, k: wanted + 1, allowed: allowed, excluding: place)
    }
    let page = Array(elements.prefix(wanted).dropFirst(list.offset))
    return .json([
      "item_id": .string(catalogue.id(place)),
      "items": .array(
        page.enumerated().map { n, element in
          [
            "item_id": .string(catalogue.id(element.item)),
            "rank": .integer(Int64(list.offset + n + 1)),
            "similarity": .float(element.score),
            "text": .string(catalogue.text(element.item)),
            "new": .bool(!catalogue.isWarm(element.item)),
          ]
        }),
      "offset": .integer(Int64(list.offset)),
      "next_offset": list.nextOffset(shown: page.count, hasMore: elements.count > wanted),
      "model_version": .string(catalogue.model.version),
    ])
  }

  /// The items with the largest cosine to a tower vector, exactly; equal ones by place.
  private static func nearest(
    _ vector: [Float], in catalogue: Catalogue, k: Int, allowed: [Bool]?, excluding own: Int32?
  ) -> [RankedLists.Element] {
    let query = DenseMatrix(rowCount: 1, columnCount: vector.count, values: vector)
    let one = Workers(count: 1)
    func places(_ range: Range<Int>) -> [Int32] {
      range.filter { (allowed?[$0] ?? true) && Int32($0) != own }.map { Int32($0) }
    }
    let trained = places(0..<catalogue.trainedCount)
    let lists = TopK.rankProducts(
      users: query, items: catalogue.online.recommender.space.towerVectors,
      k: min(k, max(trained.count, 1)), candidates: trained, workers: one)
    var elements = lists[0]
    for place in places(catalogue.trainedCount..<catalogue.count) {
      let score = zip(vector, catalogue.vector(place)).reduce(Float(0)) { $0 + $1.0 * $1.1 }
      elements.append(.init(item: place, score: score))
    }
    return Array(
      elements.sorted { (-$0.score, $0.item) < (-$1.score, $1.item) }.prefix(k))
  }

  // MARK: Users whom an item is for

  private func audience(_ request: APIRequest, _ live: LiveState) async throws -> APIResponse {
    let catalogue = live.catalogue
    let place = try catalogue.existing(request.parameters["id"] ?? "")
    let query = try QueryItems(request.query)
    try query.allow(["k", "include_owners"])
    let k = try query.int("k", 1...1000, default: 20)
    let owners = try query.bool("include_owners", default: false)
    let audience = try await live.audiences.audience(
      of: place, k: k, includesOwners: owners, in: catalogue, live)
    return .json([
      "item_id": .string(catalogue.id(place)), "users": RecommendationRoutes.users(audience),
      "model_version": .string(catalogue.model.version),
    ])
  }

  /// Whom a text that is no item yet would be for, and the items it would stand beside.
  private func audienceOfText(_ request: APIRequest, _ live: LiveState) async throws -> APIResponse
  {
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
    // Beside the others for a moment, as the last item of a catalogue that nobody else sees.
    let enlarged = catalogue.adding(record, item)
    let audience = try await live.audiences.audience(
      of: Int32(catalogue.count), k: k, includesOwners: false, in: enlarged, live)
    let mask = try catalogue.allowed(.all, conditions: [], now: Date().timeIntervalSince1970)
    let near = try await live.ranking.compute {
      RecommendationRoutes.nearest(
        item.tower, in: catalogue, k: k, allowed: mask, excluding: nil)
    }
    let reasons =
      explains
      ? try await explain(
        Int32(catalogue.count),
        to: audience.prefix(RecommendationRoutes.explainedUsers).map(\.user),
        live, enlarged) : []
    return .json([
      "users": RecommendationRoutes.users(audience, reasons: reasons),
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

  /// Why an item is for some users.
  private func explain(
    _ place: Int32, to users: [String], _ live: LiveState, _ catalogue: Catalogue
  ) async throws -> [JSONValue] {
    try await live.ranking.compute {
      let explainer = Explainer(try catalogue.recommender(), workers: Workers(count: 1))
      return try users.map { user in
        let history = live.history(of: user, in: catalogue)
        let places = (history?.places ?? []).sorted()
        let histories = try SparseMatrix(histories: [places], columnCount: catalogue.count)
        let features = history?.features.map {
          DenseMatrix(rowCount: 1, columnCount: $0.count, values: $0)
        }
        let made = try explainer.explain(
          [place], histories: histories, row: 0, userFeatures: features)
        return RecommendationRoutes.json(made[0], catalogue)
      }
    }
  }

  private static func users(
    _ audience: [AudienceService.Member], reasons: [JSONValue] = []
  ) -> JSONValue {
    .array(
      audience.enumerated().map { place, member in
        var members = [
          JSONMember("user_id", .string(member.user)),
          JSONMember("rank", .integer(Int64(place + 1))),
          JSONMember("score", .float(member.score)),
        ]
        if place < reasons.count { members.append(JSONMember("explanation", reasons[place])) }
        return .object(members)
      })
  }
}
