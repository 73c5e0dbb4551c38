import Kernels
import Recommendation
import Serving
import Testing
import Tokenization

/// Whom an item is for while items and behaviours come in, and pages of users.
@Suite struct AudienceRouteTests {
  private func client() throws -> Client { Client(server: try Shop.shared.get().server { _ in }) }

  /// Ids of users, or of an audience's.
  private func users(_ list: JSONValue) -> [String] {
    (list["users"]?.arrayValue ?? []).compactMap {
      $0["user_id"]?.stringValue ?? $0.stringValue
    }
  }

  /// All pages of four, one after the other.
  private func pages(_ client: Client, _ path: String, size: String) async -> [String] {
    var found: [String] = []
    var offset: JSONValue = 0
    while let start = offset.intValue, found.count < 100 {
      let page = await client.get(path + "?\(size)=4&offset=\(start)")
      found += users(page)
      offset = page["next_offset"] ?? .null
    }
    return found
  }

  @Test func pagesFitTogether() async throws {
    let client = try client()
    defer { client.server.close() }
    _ = await client.send("PUT", "/items/sea", ["text": "sea1 sea2 sea3 the item"])
    let whole = users(await client.get("/items/sea/audience?k=1000"))
    #expect(whole.count == Shop.userCount)
    #expect(await pages(client, "/items/sea/audience", size: "k") == whole)
    #expect(await client.send("GET", "/items/sea/audience?k=1000&offset=9001").status == 422)
    _ = await client.send("POST", "/events", [["user_id": "user 9", "item_id": "item 1"]])
    _ = await client.send("POST", "/events", [["user_id": "somebody", "item_id": "item 1"]])
    let known = await pages(client, "/users", size: "limit")
    #expect(known.prefix(2) == ["user 9", "somebody"])
    #expect(known.count == Shop.userCount + 1 && Set(known).count == known.count)
    #expect(users(await client.get("/users?limit=1000&offset=2147483647")).isEmpty)
  }

  @Test func ownersOfLaterItemsAreNotInTheirAudience() async throws {
    let client = try client()
    defer { client.server.close() }
    let path = "/items/ghost/audience?k=1000"
    // Before the item is there: the audience of another one takes the user's history without it.
    _ = await client.send("POST", "/events", [["user_id": "user 0", "item_id": "ghost"]])
    #expect(
      users(await client.get("/items/item%200/audience?k=1000&include_owners=true")).count == 32)
    _ = await client.send("PUT", "/items/ghost", ["text": "sea1 sea2 sea3 the item"])
    #expect(await !users(client.get(path)).contains("user 0"))
    #expect(users(await client.get(path + "&include_owners=true")).count == Shop.userCount)
    _ = await client.send("POST", "/events", [["user_id": "user 2", "item_id": "ghost"]])
    #expect(await !users(client.get(path)).contains("user 2"))
    // With another text its owners are others' equals: the scores are those of a server that starts with it.
    _ = await client.send("PUT", "/items/ghost", ["text": "hill1 hill2 hill3 the item"])
    let fresh = try self.client()
    defer { fresh.server.close() }
    _ = await fresh.send("PUT", "/items/ghost", ["text": "hill1 hill2 hill3 the item"])
    for user in ["user 0", "user 2"] {
      _ = await fresh.send("POST", "/events", [["user_id": .string(user), "item_id": "ghost"]])
    }
    let other = "/items/item%2044/audience?k=1000"
    let (a, b) = (await client.get(other), await fresh.get(other))
    #expect(users(a) == users(b))
    func scores(_ list: JSONValue) -> [Float] {
      JSONValue.array((list["users"]?.arrayValue ?? []).map { $0["score"] ?? .null }).numbers
    }
    #expect(zip(scores(a), scores(b)).allSatisfy { abs($0 - $1) < 1e-4 })
  }

  @Test func forgottenUsersAreInNoAudience() async throws {
    let client = try client()
    defer { client.server.close() }
    let path = "/items/item%2044/audience?k=1000"
    #expect(await users(client.get(path)).contains("user 4"))
    #expect(await client.send("DELETE", "/users/user%204").status == 200)
    #expect(await !users(client.get(path)).contains("user 4"))
    _ = await client.send("POST", "/events", [["user_id": "user 4", "item_id": "item 0"]])
    #expect(await users(client.get(path)).contains("user 4"))
  }

  @Test func aTextHasReasonsAmongLaterItemsToo() async throws {
    let client = try client()
    defer { client.server.close() }
    _ = await client.send("PUT", "/items/later", ["text": "sea4 sea5 sea6 the item"])
    for user in 0..<4 {
      _ = await client.send(
        "POST", "/events", [["user_id": .string("sailor \(user)"), "item_id": "later"]])
    }
    let answer = await client.send(
      "POST", "/audience", ["text": "sea4 sea5 sea6 the item", "k": 40, "explain": true])
    #expect(answer.status == 200 && users(answer.body).contains("sailor 1"))
    let explained = (answer.body["users"]?.arrayValue ?? []).compactMap { $0["explanation"] }
    #expect(explained.count == 5)
    for explanation in explained {
      #expect(explanation["words"]?.arrayValue?.isEmpty == false)
      let ids = (explanation["history"]?.arrayValue ?? []).compactMap { $0["item_id"]?.stringValue }
      #expect(!ids.isEmpty && ids.allSatisfy { $0 == "later" || $0.hasPrefix("item ") })
    }
    // The same twice: what was kept gives what was made.
    let path = "/users/sailor%201/recommendations?k=3&explain=true"
    let (first, second) = (await client.get(path), await client.get(path))
    #expect(first == second)
    let reasons = first["items"]?.arrayValue?.first?["explanation"]?["history"]?.arrayValue ?? []
    #expect(reasons.first?["item_id"] == "later")
  }
}
