import Foundation
import Kernels
import Recommendation
import Serving
import Testing
import Tokenization

/// What outlives a server, and what happens beside the answers: swaps, overload, metrics, the document.
@Suite struct ServerStateTests {
  #if Server
    @Test func whatWasAcknowledgedIsThereAgain() async throws {
      let shop = try Shop.shared.get()
      let data = shop.folder.appendingPathComponent("\(UUID().uuidString).sqlite")
      let first = Client(server: try shop.server { $0.data = data })
      _ = await first.send("PUT", "/items/kept", ["text": "sea1 the item", "features": ["a": "b"]])
      _ = await first.send("PUT", "/items/gone", ["text": "sea2"])
      _ = await first.send("PUT", "/items/item%202", ["text": "another text"])
      _ = await first.send("DELETE", "/items/gone")
      _ = await first.send("DELETE", "/items/item%204")
      _ = await first.send("PUT", "/blocklist/item%206")
      // Two spellings of one letter are two users.
      for user in ["\u{e9}", "e\u{301}"] {
        let item: JSONValue = user.unicodeScalars.count == 1 ? "kept" : "item 0"
        _ = await first.send("POST", "/events", ["user_id": .string(user), "item_id": item])
      }
      _ = await first.send("DELETE", "/users/user%202")
      let list = await first.ids("/users/user%200/recommendations?k=100")
      first.server.close()

      let second = Client(server: try shop.server { $0.data = data })
      defer { second.server.close() }
      #expect(await second.get("/items/kept")["features"] == ["a": "b"])
      #expect(await second.send("GET", "/items/gone").status == 404)
      #expect(await second.send("GET", "/items/item%204").status == 404)
      #expect(await second.get("/items/item%202")["text"] == "another text")
      #expect(await second.get("/blocklist")["items"] == ["item 6"])
      #expect(await second.get("/users/%C3%A9")["history"]?[0]?["item_id"] == "kept")
      #expect(await second.get("/users/e%CC%81")["history"]?[0]?["item_id"] == "item 0")
      #expect(await second.send("GET", "/users/user%202").status == 404)
      #expect(await second.ids("/users/user%200/recommendations?k=100") == list)
    }

    @Test func aForgottenIDIsInNoFile() async throws {
      let shop = try Shop.shared.get()
      let folder = shop.folder.appendingPathComponent(UUID().uuidString, isDirectory: true)
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      let client = Client(
        server: try shop.server { $0.data = folder.appendingPathComponent("state.sqlite") })
      defer { client.server.close() }
      let name = "Ariadne-of-Naxos"
      func found() throws -> [String] {
        try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
          .filter { try Data(contentsOf: $0).range(of: Data(name.utf8)) != nil }
          .map(\.lastPathComponent)
      }
      for item in 0..<40 {
        for user in [name, "other"] {
          _ = await client.send(
            "POST", "/events", ["user_id": .string(user), "item_id": .string("item \(item)")])
        }
      }
      #expect(try !found().isEmpty)
      #expect(await client.send("DELETE", "/users/\(name)").status == 200)
      #expect(try found() == [])
      #expect(await client.get("/users/other")["history"]?.arrayValue?.count == 40)
    }

    @Test func aDatabaseIsHeldByOneServer() throws {
      let shop = try Shop.shared.get()
      let data = shop.folder.appendingPathComponent("\(UUID().uuidString).sqlite")
      let first = try shop.server { $0.data = data }
      defer { first.close() }
      #expect {
        _ = try shop.server { $0.data = data }
      } throws: { "\($0)".contains("in use by another process") }
      let text = shop.folder.appendingPathComponent("\(UUID().uuidString).txt")
      try String(repeating: "not a database ", count: 100)
        .write(to: text, atomically: true, encoding: .utf8)
      #expect {
        _ = try shop.server { $0.data = text }
      } throws: { "\($0)".contains("isn't a database") }
    }
  #endif

  @Test func updatesNeedStoredEvents() throws {
    #expect {
      _ = try Shop.shared.get().server { $0.updateHours = 1 }
    } throws: { "\($0)".contains("add --data FILE") }
  }

  @Test func versionsAreSwappedWithoutAFailedRequest() async throws {
    let shop = try Shop.shared.get()
    let folder = shop.folder.appendingPathComponent(UUID().uuidString, isDirectory: true)
    try FileManager.default.copyItem(at: shop.model, to: folder)
    var options = ServerOptions(model: folder)
    options.logLevel = "critical"
    options.threads = 2
    let server = try Server(options)
    defer { server.close() }
    let client = Client(server: server)
    _ = await client.send("PUT", "/items/new", ["text": "sea1 sea2 the item"])
    _ = await client.send("POST", "/events", ["user_id": "x", "item_id": "new"])
    let versions = folder.appendingPathComponent("versions", isDirectory: true)
    try FileManager.default.createDirectory(at: versions, withIntermediateDirectories: true)
    try Shop.recommender(seed: 9).write(
      to: versions.appendingPathComponent("v1", isDirectory: true), modelCard: "Another.\n")
    #expect(try await server.reload() == false)
    #expect(await client.get("/model")["version"] == "original")

    async let failures = withTaskGroup(of: Int.self) { group in
      for worker in 0..<4 {
        group.addTask {
          var failed = 0
          for n in 0..<30 {
            let answer = await client.send(
              "GET", "/users/user%20\((worker + n) % 32)/recommendations?k=5")
            let put = await client.send(
              "PUT", "/items/w\(worker)-\(n)", ["text": .string("hill\(n % 12) item")])
            if answer.status != 200 || put.status >= 300 { failed += 1 }
          }
          return failed
        }
      }
      return await group.reduce(0, +)
    }
    try "v1\n".write(
      to: folder.appendingPathComponent("current"), atomically: true, encoding: .utf8)
    #expect(try await server.reload())
    #expect(await failures == 0)
    #expect(await client.get("/model")["version"] == "v1")
    #expect(await client.get("/items/new")["text"] == "sea1 sea2 the item")
    #expect(await client.get("/users/x")["history"]?[0]?["item_id"] == "new")
    for worker in 0..<4 {
      for n in 0..<30 { #expect(await client.send("GET", "/items/w\(worker)-\(n)").status == 200) }
    }
    #expect(await client.ids("/users/user%200/recommendations?k=200").contains("new"))
  }

  @Test func whatClientsThatHungUpSentIsWrittenAndNotComputed() async throws {
    let server = try Shop.shared.get().server { $0.cacheSize = 0 }
    defer { server.close() }
    let client = Client(server: server)
    func abandoned(_ method: String, _ path: String, _ body: JSONValue) async -> Int {
      let task = Task {
        while !Task.isCancelled { await Task.yield() }
        return await client.send(method, path, body).status
      }
      task.cancel()
      return await task.value
    }
    #expect(await abandoned("POST", "/embed", ["inputs": ["sea1", "sea2"]]) == 499)
    #expect(await abandoned("POST", "/recommendations", ["items": ["item 1"]]) == 499)
    let event: JSONValue = ["user_id": "late", "item_id": "item 1"]
    #expect(await abandoned("POST", "/events", event) == 200)
    #expect(await abandoned("PUT", "/items/late", ["text": "sea1 the item"]) == 201)
    #expect(await client.get("/users/late")["history"]?[0]?["item_id"] == "item 1")
    #expect(await client.get("/items/late")["text"] == "sea1 the item")
    let response = await server.api.respond(to: APIRequest("GET", "/metrics"))
    let lines = String(decoding: response.body, as: UTF8.self).split(separator: "\n")
    #expect(lines.contains("encoder_abandoned_inputs_total{queue=\"embedding\"} 2"))
    #expect(lines.contains("encoder_abandoned_inputs_total{queue=\"ranking\"} 1"))
    #expect(!lines.contains { $0.hasPrefix("te_request_failure") })
  }

  @Test func aRequestThatWaitedTooLong() async throws {
    let server = try Shop.shared.get().server {
      $0.deadline = 1e-9
      $0.cacheSize = 0
    }
    defer { server.close() }
    let response = await server.api.respond(
      to: APIRequest("POST", "/embed", body: Array(#"{"inputs": "sea1"}"#.utf8)))
    #expect(response.status == 504)
    #expect(try JSONValue.parse(response.body)["error_type"] == "DeadlineExceeded")
    let header = response.headers.first { $0.name == "Retry-After" }
    #expect(header?.value == "1")
  }

  @Test func aFullQueueTurnsRequestsAway() async throws {
    let server = try Shop.shared.get().server {
      $0.queueLimit = 2
      $0.cacheSize = 0
      $0.batchTokens = 8
    }
    defer { server.close() }
    let client = Client(server: server)
    let responses = await withTaskGroup(of: [APIResponse].self) { group in
      for worker in 0..<64 {
        group.addTask {
          var own: [APIResponse] = []
          for n in 0..<20 {
            let body: JSONValue = [
              "inputs": [.string("sea\(n % 12) \(worker)"), .string("hill\(n % 12) the item")]
            ]
            own.append(
              await server.api.respond(to: APIRequest("POST", "/embed", body: body.serialized())))
          }
          return own
        }
      }
      return await group.reduce([], +)
    }
    func retryAfter(_ response: APIResponse) -> Int? {
      response.headers.first { $0.name == "Retry-After" }.flatMap { Int($0.value) }
    }
    let statuses = responses.map(\.status)
    #expect(Set(statuses).isSubset(of: [200, 429]))
    #expect(statuses.contains(200))
    for response in responses where response.status == 429 {
      #expect((retryAfter(response) ?? 0) >= 1)
    }
    #expect(await client.send("POST", "/embed", ["inputs": "sea1"]).status == 200)
    server.close()
    let last = await server.api.respond(
      to: APIRequest("POST", "/embed", body: Array(#"{"inputs": "sea1"}"#.utf8)))
    #expect(last.status == 503 && retryAfter(last) == 5)
  }

  @Test func everyRouteIsInTheDocument() async throws {
    let server = try Shop.shared.get().server()
    defer { server.close() }
    let document = await Client(server: server).get("/openapi.json")
    var described: Set<String> = []
    for path in document["paths"]?.objectValue ?? [] {
      for method in path.value.objectValue ?? [] {
        described.insert(method.key.uppercased() + " " + path.key)
      }
    }
    #expect(described == Set(server.api.routes.map { $0.method + " " + $0.pattern }))
  }

  @Test func metricsCountWhatHappened() async throws {
    let server = try Shop.shared.get().server()
    defer { server.close() }
    let client = Client(server: server)
    for _ in 0..<3 { _ = await client.send("POST", "/embed", ["inputs": "sea1"]) }
    _ = await client.send("POST", "/embed", ["inputs": []])
    _ = await client.send("POST", "/events", ["user_id": "u", "item_id": "item 1"])
    _ = await client.send("BREW", "/coffee")
    let response = await server.api.respond(to: APIRequest("GET", "/metrics"))
    let lines = Set(String(decoding: response.body, as: UTF8.self).split(separator: "\n"))
    for line in [
      "encoder_http_requests_total{method=\"POST\",route=\"/embed\",status=\"200\"} 3",
      "encoder_http_requests_total{method=\"POST\",route=\"/embed\",status=\"400\"} 1",
      "encoder_http_requests_total{method=\"other\",route=\"unknown\",status=\"404\"} 1",
      "encoder_cache_hits_total 2", "encoder_cache_misses_total 1", "encoder_events_total 1",
      "te_request_failure{err=\"validation\"} 1", "te_request_count{method=\"single\"} 3",
      "te_request_count{method=\"batch\"} 1", "te_request_success{method=\"single\"} 3",
      "# TYPE process_cpu_seconds_total counter",
      "te_request_duration_bucket{le=\"+Inf\"} 4", "encoder_queue_size{queue=\"embedding\"} 0",
      "encoder_model_info{model=\"shop\",version=\"original\"} 1",
    ] {
      #expect(lines.contains(Substring(line)), "\(line)")
    }
  }

  @Test func foldersOfDeadUpdatesGo() throws {
    let parent = try Shop.shared.get().folder.appendingPathComponent(UUID().uuidString)
    let names = [
      "encoder-update-\(ProcessInfo.processInfo.processIdentifier)", "encoder-update-99999999",
      "encoder-update-x", "another",
    ]
    for name in names {
      let folder = parent.appendingPathComponent(name)
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try Data("a,b".utf8).write(to: folder.appendingPathComponent("behaviors.csv"))
    }
    UpdateFolder.removeLeftovers(in: parent)
    let left = try FileManager.default.contentsOfDirectory(atPath: parent.path)
    #expect(Set(left) == Set(names).subtracting(["encoder-update-99999999"]))
  }

  @Test func scriptsOfOtherOriginsAreLetInOnRequest() async throws {
    let shop = try Shop.shared.get()
    for (allowed, expected) in [(nil, nil), ("https://shop.example", "https://shop.example")] {
      let server = try shop.server { $0.allowedOrigin = allowed }
      defer { server.close() }
      let response = await server.api.respond(
        to: APIRequest("GET", "/health", origin: "https://shop.example"))
      let header = response.headers.first { $0.name == "Access-Control-Allow-Origin" }
      #expect(header?.value == expected)
      let preflight = await server.api.respond(
        to: APIRequest("OPTIONS", "/embed", origin: "https://shop.example"))
      #expect(preflight.status == (allowed == nil ? 405 : 204))
    }
  }
}
