import Foundation
import Kernels
import Recommendation
import Serving
import Testing
import Tokenization

/// Lists that follow what comes in, in a shop whose right answers are known.
@Suite struct RecommendationRouteTests {
  private let path = "/users/user%200/recommendations"

  private func client(_ change: (inout ServerOptions) -> Void = { _ in }) throws -> Client {
    Client(server: try Shop.shared.get().server(change))
  }

  @Test func listsAreTheRecommenders() async throws {
    let client = try client()
    defer { client.server.close() }
    let workers = Workers(count: 1)
    let recommender = try Recommender.load(from: Shop.shared.get().model, workers: workers)
    let request = try recommender.requests(users: [0, 1], names: [], newer: [])
    let expected = try recommender.rank(
      request.histories, k: 8, candidates: nil, excluding: request.histories, workers: workers)
    for user in 0..<2 {
      let list = await client.get("/users/user%20\(user)/recommendations?k=8")
      #expect(
        Client.ids(list) == expected.items(ofRow: user).map { recommender.items.ids[Int($0)] })
      let scores = (list["items"]?.arrayValue ?? []).map { $0["score"] ?? .null }
      #expect(
        zip(JSONValue.array(scores).numbers, expected.scores(ofRow: user))
          .allSatisfy { abs($0 - $1) < 2e-3 })
    }
  }

  @Test func pagesFitTogether() async throws {
    let client = try client()
    defer { client.server.close() }
    let whole = await client.ids(path + "?k=30")
    var pages: [String] = []
    var offset: JSONValue = 0
    while let start = offset.intValue {
      let page = await client.get(path + "?k=4&offset=\(start)")
      pages += Client.ids(page)
      offset = page["next_offset"] ?? .null
      #expect(pages.count <= 48)
    }
    #expect(Array(pages.prefix(30)) == whole)
    #expect(Set(pages).count == pages.count)
    let seen = try Recommender.load(
      from: Shop.shared.get().model, workers: Workers(count: 1)
    ).histories.columns(ofRow: 0).count
    #expect(pages.count == Shop.itemCount - seen)
  }

  @Test func pagesOfNeighboursFitTogether() async throws {
    let client = try client()
    defer { client.server.close() }
    let similar = "/items/item%200/similar"
    let whole = await client.ids(similar + "?k=30")
    var pages: [String] = []
    var offset: JSONValue = 0
    while let start = offset.intValue {
      let page = await client.get(similar + "?k=7&offset=\(start)")
      pages += Client.ids(page)
      offset = page["next_offset"] ?? .null
      #expect(pages.count <= 48)
    }
    #expect(Array(pages.prefix(30)) == whole)
    #expect(Set(pages).count == Shop.itemCount - 1 && pages.count == Shop.itemCount - 1)
    // Neighbours are for nobody: there is no history to leave out or to explain by.
    for parameter in ["explain=true", "exclude_seen=false", "diversity=0.5"] {
      #expect(await client.send("GET", similar + "?" + parameter).status == 422)
    }
  }

  @Test(arguments: [0.3, 0.9])
  func pagesOfAVariedListFitTogether(diversity: Double) async throws {
    let client = try client()
    defer { client.server.close() }
    let whole = await client.ids(path + "?k=40&diversity=\(diversity)")
    for length in [1, 3, 7] {
      var pages: [String] = []
      for offset in stride(from: 0, to: whole.count, by: length) {
        pages += await client.ids(path + "?k=\(length)&offset=\(offset)&diversity=\(diversity)")
      }
      #expect(Array(pages.prefix(whole.count)) == whole)
    }
  }

  @Test func manyItemsCameOneAfterTheOther() async throws {
    let client = try client()
    defer { client.server.close() }
    // More than a part of the block, and the last ones one by one.
    for first in stride(from: 0, to: 1200, by: 240) {
      let items = (first..<(first + 240)).map { n -> JSONValue in
        ["item_id": .string("n\(n)"), "text": .string("hill\(n % 12) the item")]
      }
      // A bare list is taken as {"items": [...]} is.
      let put = await client.send("POST", "/items", .array(items))
      #expect(put.status == 200)
    }
    _ = await client.send("PUT", "/items/7", ["text": "sea1 sea2 sea3"])
    _ = await client.send("PUT", "/items/n3", ["text": "sea1 sea2 sea4"])
    _ = await client.send("DELETE", "/items/n5")
    #expect(await client.get("/model")["items"] == .integer(Int64(Shop.itemCount + 1201)))
    for (id, text) in [
      ("n0", "hill0 the item"), ("n3", "sea1 sea2 sea4"), ("n1199", "hill11 the item"),
    ] {
      #expect(await client.get("/items/\(id)")["text"] == .string(text))
    }
    let list = await client.ids(path + "?k=1000&candidates=cold")
    #expect(list.count == 1000 && Set(list).count == 1000)
    let named = await client.ids(path + "?candidates=7,n3,n5,n1199,item%200")
    #expect(Set(named).isSuperset(of: ["7", "n3", "n1199"]) && !named.contains("n5"))
    #expect(!list.contains("n5"))
    let session = await client.send("POST", "/recommendations", ["items": [7], "k": 3])
    #expect(session.status == 200 && !Client.ids(session.body).contains("7"))
  }

  @Test(arguments: [
    "/users/user%200/recommendations", "/items", "/users", "/items/item%200/similar",
    "/items/item%200/audience",
  ])
  func misspeltParametersAreRefused(_ path: String) async throws {
    let client = try client()
    defer { client.server.close() }
    let answer = await client.send("GET", path + "?ofset=3")
    #expect(answer.status == 422)
    #expect(answer.body["error"]?.stringValue?.contains("`ofset`") == true)
  }

  @Test func anItemIsThereWhenItWasTakenIn() async throws {
    let client = try client()
    defer { client.server.close() }
    let put = await client.send(
      "PUT", "/items/new%2Fsea", ["text": "sea1 sea2 sea3 the item", "features": ["aisle": "9"]])
    #expect(put.status == 201)
    // Even users want things of the sea.
    #expect(await client.ids(path + "?k=5&candidates=cold").contains("new/sea"))
    #expect(await client.ids(path + "?where=aisle%3D9") == ["new/sea"])
    #expect(await client.ids(path + "?candidates=new/sea,item%2047&k=2").first == "new/sea")
    let audience = await client.get("/items/new%2Fsea/audience?k=16")
    let users = (audience["users"]?.arrayValue ?? []).compactMap { $0["user_id"]?.stringValue }
    #expect(users.count == 16)
    #expect(users.filter { (Int($0.dropFirst(5)) ?? 1) % 2 == 0 }.count >= 14)
    let again = await client.send("PUT", "/items/new%2Fsea", ["text": "hill1 hill2 the item"])
    #expect(again.status == 200)
    #expect(await client.get("/items/new%2Fsea")["text"] == "hill1 hill2 the item")
    #expect(await client.ids("/items/new%2Fsea/similar?k=5").count == 5)
    #expect(await client.send("DELETE", "/items/new%2Fsea").status == 200)
    #expect(await client.send("GET", "/items/new%2Fsea").status == 404)
    #expect(await client.send("DELETE", "/items/new%2Fsea").status == 404)
    #expect(await !client.ids(path + "?k=100").contains("new/sea"))
    #expect(
      await client.send("PUT", "/items/new%2Fsea", ["text": "sea1 the item"]).status == 201)
    #expect(await client.ids(path + "?k=100").contains("new/sea"))
  }

  @Test func eventsCountForTheNextList() async throws {
    let client = try client()
    defer { client.server.close() }
    #expect(await client.send("GET", "/users/x/recommendations").status == 404)
    let taken = await client.send(
      "POST", "/events",
      [["user_id": "x", "item_id": "item 0"], ["user_id": "x", "item_id": "ghost"]])
    #expect(taken.body == ["accepted": 2, "unknown_items": 1])
    let list = await client.ids("/users/x/recommendations?k=10")
    let session = await client.send(
      "POST", "/recommendations", ["items": ["item 0"], "k": 10])
    #expect(list == Client.ids(session.body))
    let before = await client.get("/users/x/recommendations?k=10")["items"]
    #expect(list.filter { (Int($0.dropFirst(5)) ?? 1) % 2 == 0 }.count >= 8)
    // The unknown item's event counts once the item is there.
    _ = await client.send("PUT", "/items/ghost", ["text": "hill1 hill2 hill3 the item"])
    let history = await client.get("/users/x")["history"]?.arrayValue ?? []
    #expect(history.compactMap { $0["item_id"]?.stringValue } == ["item 0", "ghost"])
    // How much a new item in a history says depends on the fusion; a known one always says something.
    _ = await client.send("POST", "/events", ["user_id": "x", "item_id": "item 3"])
    #expect(await client.get("/users/x/recommendations?k=10")["items"] != before)
    // A label below the rule is taken in and isn't a positive behaviour.
    _ = await client.send("POST", "/events", ["user_id": "y", "item_id": "item 0", "label": 0])
    #expect(await client.send("GET", "/users/y").status == 404)
    #expect(await client.ids("/users/y/recommendations?k=10").count == 10)
    _ = await client.send("DELETE", "/users/y")
    #expect(await client.send("GET", "/users/y/recommendations").status == 404)
  }

  @Test func blockedExpiredAndForgotten() async throws {
    let client = try client()
    defer { client.server.close() }
    let first = try #require(await client.ids(path + "?k=1").first)
    let place = first.replacingOccurrences(of: " ", with: "%20")
    _ = await client.send("PUT", "/blocklist/" + place)
    #expect(await !client.ids(path + "?k=100").contains(first))
    #expect(await client.get("/blocklist")["items"] == [.string(first)])
    _ = await client.send("DELETE", "/blocklist/" + place)
    #expect(await client.ids(path + "?k=1") == [first])
    #expect(await !client.ids(path + "?k=100&block=\(place)").contains(first))
    _ = await client.send("PUT", "/items/" + place, ["text": "sea1", "expires_at": 1])
    #expect(await !client.ids(path + "?k=100").contains(first))
    _ = await client.send("PUT", "/items/" + place, ["text": "sea1", "expires_at": 4e9])
    #expect(await client.ids(path + "?k=100").contains(first))
    #expect(await client.send("DELETE", "/users/user%200").status == 200)
    #expect(await client.send("GET", path).status == 404)
    _ = await client.send("POST", "/events", ["user_id": "user 0", "item_id": "item 1"])
    let history = await client.get("/users/user%200")["history"]?.arrayValue ?? []
    #expect(history.map { $0["item_id"] } == ["item 1"])
  }

  @Test func filtersLookIntoLists() async throws {
    let client = try client()
    defer { client.server.close() }
    let list = await client.ids(path + "?k=100&where=aisle%3D1")
    #expect(!list.isEmpty)
    #expect(list.allSatisfy { (Int($0.dropFirst(5)) ?? 0) % 3 == 1 })
    #expect(await client.ids(path + "?k=100&where=aisle%3Dall").count > list.count)
    #expect(await client.ids(path + "?where=aisle%3D1&where=aisle%3D2").isEmpty)
    #expect(await client.send("GET", path + "?where=colour%3D1").status == 422)
    #expect(await client.send("GET", path + "?where=aisle").status == 422)
    let cold = await client.ids(path + "?k=100&candidates=cold")
    #expect(cold.count == Shop.itemCount - Shop.warmCount)
  }

  @Test func reasonsAndVariety() async throws {
    let client = try client()
    defer { client.server.close() }
    let list = await client.get(path + "?k=3&explain=true")
    for item in list["items"]?.arrayValue ?? [] {
      let why = try #require(item["explanation"])
      let sum = (why["parts"]?.arrayValue ?? []).reduce(0) {
        $0 + ($1["contribution"]?.doubleValue ?? 0)
      }
      let score = try #require(item["score"]?.doubleValue)
      let shift = why["shift"]?.doubleValue ?? 0
      #expect(min(abs(sum - score), abs(sum + shift - score)) < 0.01)
      #expect(why["words"]?.arrayValue?.isEmpty == false)
    }
    let plain = await client.ids(path + "?k=10")
    let varied = await client.ids(path + "?k=10&diversity=0.9")
    #expect(varied.first == plain.first && varied != plain && Set(varied).count == 10)
    #expect(await client.send("GET", path + "?diversity=2").status == 422)
  }

  @Test(
    "reasons are of the history that was ranked for, a text in it too",
    arguments: [[], ["item 0", "item 3", "new"]])
  func reasonsOfTexts(items: [String]) async throws {
    let client = try client()
    defer { client.server.close() }
    _ = await client.send("PUT", "/items/new", ["text": "sea4 sea5 the item"])
    let text = "hill1 hill2 hill3 the item"
    let answer = await client.send(
      "POST", "/recommendations",
      [
        "items": .array(items.map { .string($0) }), "text": .string(text), "k": 40,
        "explain": true,
      ])
    let list = answer.body["items"]?.arrayValue ?? []
    #expect(list.count == 40)
    for item in list {
      let why = try #require(item["explanation"])
      let sum = (why["parts"]?.arrayValue ?? []).reduce(why["shift"]?.doubleValue ?? 0) {
        $0 + ($1["contribution"]?.doubleValue ?? 0)
      }
      let score = try #require(item["score"]?.doubleValue)
      #expect(abs(sum - score) < 0.01)
      let history = why["history"]?.arrayValue ?? []
      #expect(!history.isEmpty)
      // Five reasons are given: of a short history, all.
      let texts = history.filter { $0["item_id"]?.isNull == true }.compactMap {
        $0["text"]?.stringValue
      }
      if !items.isEmpty { #expect(texts == [text]) }
    }
  }

  @Test(arguments: [
    ("POST", "/events", #"{"user_id": "", "item_id": "a"}"#),
    ("POST", "/events", #"{"user_id": "a"}"#),
    ("POST", "/events", #"{"user_id": "a\u0000", "item_id": "a"}"#),
    ("POST", "/events", #"{"user_id": "a", "item_id": "a", "label": 1e300}"#),
    ("POST", "/events", #"{"user_id": "a", "item_id": "a", "timestamp": "soon"}"#),
    ("POST", "/events", #"{"user_id": "a", "item_id": "a", "timestamp": 1e300}"#),
    ("POST", "/events", #"{"user_id": "a", "item_id": "a", "timestamp": "1e300"}"#),
    ("PUT", "/items/a", #"{"text": "a", "expires_at": -1e300}"#),
    ("POST", "/recommendations", #"{"items": [1.5]}"#),
    ("POST", "/recommendations", "{}"), ("POST", "/recommendations", #"{"text": ""}"#),
    ("POST", "/recommendations", #"{"text": "a", "k": 0}"#),
    ("POST", "/recommendations", #"{"text": "a", "k": 1000, "offset": 9999}"#),
    ("PUT", "/items/a", #"{"text": 1}"#), ("PUT", "/items/a", #"{"text": "a", "features": []}"#),
    ("PUT", "/items/a%0Ab", #"{"text": "a"}"#), ("POST", "/items", #"{"items": [{"text": "a"}]}"#),
  ])
  func wrongFieldsAreRefused(_ method: String, _ path: String, _ body: String) async throws {
    let client = try client()
    defer { client.server.close() }
    let response = await client.server.api.respond(
      to: APIRequest(method, path, body: Array(body.utf8)))
    #expect(response.status == 422)
    #expect(try JSONValue.parse(response.body)["error_type"] == "Validation")
  }
}
