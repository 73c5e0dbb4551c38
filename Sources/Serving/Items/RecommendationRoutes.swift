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
    var described: Reasons.Described?
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

  private func respond(
    _ list: ListRequest, _ history: OnlineHistory, seen: [Int32],
    described: Reasons.Described? = nil, _ live: LiveState, _ catalogue: Catalogue,
    head: [JSONMember]
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
    _ described: Reasons.Described?, _ live: LiveState, _ catalogue: Catalogue
  ) async throws -> [JSONValue] {
    guard !page.isEmpty else { return [] }
    return try await live.ranking.compute {
      // A text alone is ranked with the items nearest to it, which have weights.
      let weighted =
        seen.isEmpty
        ? history.items.map { ($0.item, $0.weight) } : seen.sorted().map { ($0, Float(1)) }
      return try Reasons(
        catalogue, items: page.map(\.item) + weighted.map(\.0), text: described
      ).explain(
        page.map(\.item), to: weighted, withText: described != nil, features: history.features)
    }
  }

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
  static func nearest(
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
}
