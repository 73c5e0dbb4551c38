import Checkpoints
import EncoderModel
import Foundation
import Kernels
import Recommendation
import Serving
import Testing
import Tokenization

/// Vectors over HTTP's shapes, against the library's own calls.
@Suite struct EmbeddingRouteTests {
  private let texts = ["sea1 sea2 the item", "hill3 new", "the unknown word", "sea4"]

  private func vectors(_ body: JSONValue) -> [[Float]] {
    (body.arrayValue ?? []).map(\.numbers)
  }

  private func isClose(_ a: [Float], _ b: [Float]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < 1e-5 }
  }

  @Test func vectorsAreTheLibrarys() async throws {
    let shop = try Shop.shared.get()
    let server = try shop.server()
    defer { server.close() }
    let client = Client(server: server)
    let recommender = try Recommender.load(from: shop.model, workers: Workers(count: 1))
    let towers = recommender.embed(texts, features: nil, workers: Workers(count: 1)).towers
    let body: JSONValue = ["inputs": .array(texts.map { .string($0) })]
    let answer = await client.send("POST", "/embed", body)
    #expect(answer.status == 200)
    for (row, vector) in vectors(answer.body).enumerated() {
      #expect(isClose(vector, Array(towers.row(row))), "text \(row)")
    }
    let model = recommender.model
    let expected = TextEmbedder(
      encoder: model.encoder, weights: model.weights, workers: Workers(count: 1)
    ).embed(model.tokenizer.encodeBatch(texts, threads: 1))
    let base = await client.send(
      "POST", "/v1/embeddings",
      ["model": "shop:base", "input": .array(texts.map { .string($0) })])
    #expect(base.status == 200)
    for row in texts.indices {
      let vector = base.body["data"]?[row]?["embedding"]?.numbers ?? []
      #expect(isClose(vector, Array(expected[(row * 16)..<((row + 1) * 16)])), "text \(row)")
    }
  }

  @Test func base64HoldsTheSameNumbers() async throws {
    let server = try Shop.shared.get().server()
    defer { server.close() }
    let client = Client(server: server)
    let floats = await client.send("POST", "/v1/embeddings", ["input": "sea1"]).body
    let coded = await client.send(
      "POST", "/v1/embeddings", ["input": "sea1", "encoding_format": "base64"]
    ).body
    let text = try #require(coded["data"]?[0]?["embedding"]?.stringValue)
    let data = try #require(Data(base64Encoded: text))
    let values = data.withUnsafeBytes { bytes in
      (0..<(bytes.count / 4)).map {
        Float(
          bitPattern: UInt32(
            littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)))
      }
    }
    #expect(values == floats["data"]?[0]?["embedding"]?.numbers)
    // [CLS] sea1 [SEP]
    #expect(coded["usage"]?["prompt_tokens"] == 3)
  }

  @Test func shorterVectorsAreScaledAgain() async throws {
    let server = try Shop.shared.get().server()
    defer { server.close() }
    let client = Client(server: server)
    let whole = vectors(await client.send("POST", "/embed", ["inputs": "sea1 hill2"]).body)[0]
    let short = vectors(
      await client.send("POST", "/embed", ["inputs": "sea1 hill2", "dimensions": 4]).body)[0]
    let norm = whole[..<4].reduce(0) { $0 + $1 * $1 }.squareRoot()
    #expect(isClose(short, whole[..<4].map { $0 / norm }))
  }

  @Test func shorterVectorsStayAsTheyAreOnRequest() async throws {
    let server = try Shop.shared.get().server()
    defer { server.close() }
    let client = Client(server: server)
    var plain: [[Float]] = []
    for body: JSONValue in [
      ["inputs": "sea1 hill2", "model": "shop:base", "normalize": false],
      ["inputs": "sea1 hill2", "model": "shop:base", "normalize": false, "dimensions": 4],
    ] { plain += vectors(await client.send("POST", "/embed", body).body) }
    #expect(plain[1] == Array(plain[0].prefix(4)))
  }

  @Test func exactVectorsHaveTheSameBitsInAnyCompany() async throws {
    let server = try Shop.shared.get().server {
      $0.isExact = true
      $0.cacheSize = 0
    }
    defer { server.close() }
    let client = Client(server: server)
    for model in ["shop", "shop:base"] {
      let inputs = texts.map { JSONValue.string($0) }
      let together = vectors(
        await client.send(
          "POST", "/embed", ["inputs": .array(inputs), "model": .string(model)]
        ).body)
      for (row, text) in inputs.enumerated() {
        let alone = vectors(
          await client.send("POST", "/embed", ["inputs": text, "model": .string(model)]).body)
        #expect(alone == [together[row]])
      }
    }
  }

  @Test func documentsMayBeObjects() async throws {
    let server = try Shop.shared.get().server()
    defer { server.close() }
    let client = Client(server: server)
    let answer = await client.send(
      "POST", "/rerank",
      [
        "query": "sea1", "documents": ["hill1", ["text": "sea1"], ["text": "hill2"]],
        "return_documents": true, "top_n": 1,
      ])
    #expect(answer.status == 200)
    #expect(answer.body["results"]?[0]?["index"] == 1)
    #expect(answer.body["results"]?[0]?["document"]?["text"] == "sea1")
    #expect(answer.body["id"]?.stringValue?.isEmpty == false)
    // Scores are the decimals of Floats: no more than nine digits.
    let list = await client.send("POST", "/rerank", ["query": "sea1", "texts": ["hill1", "sea2"]])
    for row in list.body.arrayValue ?? [] {
      let text = String(decoding: (row["score"] ?? .null).serialized(), as: UTF8.self)
      #expect(text.filter(\.isNumber).count <= 11, "\(text)")
    }
  }

  @Test func whatARequestTookIsInItsHeaders() async throws {
    let server = try Shop.shared.get().server()
    defer { server.close() }
    for (path, body) in [
      ("/rerank", #"{"query": "sea1", "texts": ["hill1"]}"#),
      ("/similarity", #"{"inputs": {"source_sentence": "sea1", "sentences": ["hill1"]}}"#),
      ("/embed", #"{"inputs": ["sea1", "hill1"]}"#),
    ] {
      let response = await server.api.respond(
        to: APIRequest("POST", path, body: Array(body.utf8)))
      #expect(response.status == 200)
      let headers = response.headers
      #expect(headers.contains { $0.name == "x-compute-characters" && $0.value == "9" }, "\(path)")
      #expect(headers.contains { $0.name == "x-queue-time" && Int($0.value) != nil })
    }
  }

  @Test(arguments: [
    ("/embed", #"{"inputs": ""}"#, 422, "Validation"),
    ("/embed", #"{"inputs": [""]}"#, 422, "Validation"),
    ("/embed", #"{"inputs": [[]]}"#, 422, "Validation"),
    ("/rerank", #"{"query": "a", "texts": []}"#, 400, "Empty"),
    ("/embed", #"{"inputs": []}"#, 400, "Empty"), ("/embed", "", 400, "Empty"),
    ("/embed", "{", 400, "Malformed"), ("/embed", "[1]", 400, "Malformed"),
    ("/embed", #"{"inputs": 1}"#, 422, "Validation"), ("/embed", "{}", 422, "Validation"),
    ("/embed", #"{"inputs": [99999]}"#, 422, "Validation"),
    ("/embed", #"{"inputs": "a", "dimensions": 17}"#, 422, "Validation"),
    ("/embed", #"{"inputs": "a", "prompt_name": "x"}"#, 422, "Validation"),
    ("/embed", #"{"inputs": "a", "inputs": "b"}"#, 400, "Malformed"),
    ("/predict", #"{"inputs": "a"}"#, 424, "Backend"), ("/nothing", "{}", 404, "NotFound"),
    ("/health", "{}", 405, "MethodNotAllowed"),
  ])
  func errorsHaveTypesAndCodes(_ path: String, _ body: String, _ status: Int, _ type: String)
    async throws
  {
    let server = try Shop.shared.get().server()
    defer { server.close() }
    let response = await server.api.respond(
      to: APIRequest("POST", path, body: Array(body.utf8)))
    #expect(response.status == status)
    #expect(try JSONValue.parse(response.body)["error_type"]?.stringValue == type)
  }

  @Test func longTextsAreCutOrRefused() async throws {
    let server = try Shop.shared.get().server()
    defer { server.close() }
    let long = JSONValue.string(Array(repeating: "sea1", count: 50).joined(separator: " "))
    let cut = await server.api.respond(
      to: APIRequest("POST", "/embed", body: JSONValue.object([.init("inputs", long)]).serialized())
    )
    #expect(cut.status == 200)
    #expect(cut.headers.contains { $0.name == "x-truncated" && $0.value == "1" })
    let client = Client(server: server)
    let refused = await client.send("POST", "/embed", ["inputs": long, "truncate": false])
    #expect(refused.status == 422)
  }

  @Test func openAIsErrorsAreItsObjects() async throws {
    let server = try Shop.shared.get().server { $0.apiKey = "right" }
    defer { server.close() }
    let client = Client(server: server)
    let unknown = await client.send(
      "POST", "/v1/embeddings", ["input": "a", "model": "other"], key: "right")
    #expect(unknown.status == 404)
    #expect(unknown.body["error"]?["code"] == "model_not_found")
    let path = await client.send("POST", "/v1/nothing", ["input": "a"], key: "right")
    #expect(path.status == 404 && path.body["error"]?["code"] == .null)
    let rerank = await client.send("POST", "/v1/rerank", ["query": "a", "texts": []], key: "right")
    #expect(rerank.status == 400 && rerank.body["error"]?["param"] == "texts")
    for key in [nil, "", "wrong", "righ", "rightt"] {
      let answer = await client.send("POST", "/v1/embeddings", ["input": "a"], key: key)
      #expect(answer.status == 401)
      #expect(answer.body["error"]?["type"] == "authentication_error")
    }
    #expect(await client.send("GET", "/health").status == 200)
    #expect(await client.send("GET", "/v1/models", key: "right").status == 200)
  }

  /// Places as the tokenizers library gives them (0.23.3) for the same vocabulary, lower-casing.
  @Test func tokensKnowTheirPlaces() async throws {
    let server = try Shop.shared.get().server()
    defer { server.close() }
    let client = Client(server: server)
    let answer = await client.send("POST", "/tokenize", ["inputs": "The  Séa1, items."])
    let tokens = try #require(answer.body[0]?.arrayValue)
    func part(_ name: String) -> [JSONValue] { tokens.map { $0[name] ?? .null } }
    #expect(part("text") == ["[CLS]", "The", "Séa1", ",", "item", "s", ".", "[SEP]"])
    #expect(part("start") == [.null, 0, 5, 9, 11, 15, 16, .null])
    #expect(part("stop") == [.null, 3, 9, 10, 15, 16, 17, .null])
    #expect(part("special") == [true, false, false, false, false, false, false, true])
  }
}
