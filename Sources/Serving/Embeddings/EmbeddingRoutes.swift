import Foundation
import Tokenization

/// The routes of text-embeddings-inference that an embedding model has.
struct EmbeddingRoutes: Sendable {
  private let services: RouteServices

  init(_ services: RouteServices) { self.services = services }

  func add(to table: inout RouteTable<API.Endpoint>) {
    table.add("POST", "/embed", isEmbedding: true) { try await embed($0) }
    // Clients that know only the server's address post there, as text-embeddings-inference allows.
    table.add("POST", "/", isEmbedding: true) { request in
      let fields = try RequestFields(request.body)
      if case .object = fields["inputs"] { return try await similarity(request) }
      return try await embed(request)
    }
    table.add("POST", "/embed_all", isEmbedding: true) { try await embedAll($0) }
    table.add("POST", "/embed_sparse", isEmbedding: true) { _ in
      throw APIError(kind: .backend, message: "the model gives no sparse vectors")
    }
    table.add("POST", "/similarity", isEmbedding: true) { try await similarity($0) }
    table.add("POST", "/rerank", isEmbedding: true) { try await rerank($0) }
    table.add("POST", "/v1/rerank", isOpenAI: true, isEmbedding: true) { try await rerank($0) }
    table.add("POST", "/predict", isEmbedding: true) { _ in
      throw APIError(kind: .backend, message: "the model is not a classifier")
    }
    table.add("POST", "/tokenize", isEmbedding: true) { try tokenize($0) }
    table.add("POST", "/decode", isEmbedding: true) { try decode($0) }
  }

  /// Fields that several routes share.
  private struct Choices {
    let truncate: Bool?
    let isLeft: Bool
    let prompt: String
    let output: EmbeddingOutput

    init(_ fields: RequestFields, _ current: LoadedModel) throws {
      truncate = fields["truncate"] == nil ? nil : try fields.bool("truncate", default: true)
      switch try fields.string("truncation_direction")?.lowercased() ?? "right" {
      case "right": isLeft = false
      case "left": isLeft = true
      default:
        throw APIError.validation(
          "`truncation_direction` must be left or right", field: "truncation_direction")
      }
      output = try current.output(named: fields.string("model") ?? current.modelNames[0])
      guard let name = try fields.string("prompt_name") else {
        prompt = output.isPooled ? current.defaultPrompt : ""
        return
      }
      guard let known = current.engine.model.sentence.prompt(named: name) else {
        throw APIError.validation(
          "`prompt_name`: the model has no prompt of that name", field: "prompt_name")
      }
      prompt = known
    }
  }

  /// What it took, under the names of text-embeddings-inference.
  static func headers(
    _ result: EmbeddingService.Result, _ texts: [EmbeddingService.Text]
  ) -> [(name: String, value: String)] {
    let characters = texts.reduce(0) { sum, text in
      if case .string(let string) = text { sum + string.unicodeScalars.count } else { sum }
    }
    func milliseconds(_ seconds: Double) -> String { String(Int((seconds * 1000).rounded())) }
    let total = milliseconds(
      result.tokenizationSeconds + result.queueSeconds + result.inferenceSeconds)
    var headers: [(name: String, value: String)] = [
      ("x-compute-type", "cpu"), ("x-compute-time", total), ("x-total-time", total),
      ("x-compute-characters", String(characters)), ("x-compute-tokens", String(result.tokens)),
      ("x-tokenization-time", milliseconds(result.tokenizationSeconds)),
      ("x-queue-time", milliseconds(result.queueSeconds)),
      ("x-inference-time", milliseconds(result.inferenceSeconds)),
    ]
    if result.cutCount > 0 { headers.append(("x-truncated", String(result.cutCount))) }
    return headers
  }

  private func embed(_ request: APIRequest) async throws -> APIResponse {
    let fields = try RequestFields(request.body)
    let current = services.host.current
    let choices = try Choices(fields, current)
    let (texts, _) = try inputs(fields, request)
    let result = try await services.embeddings.vectors(
      texts, engine: current.engine, output: choices.output, prompt: choices.prompt,
      normalize: fields.bool("normalize", default: true),
      dimensions: fields.int("dimensions", 1...current.engine.width(choices.output)),
      truncate: choices.truncate, truncatesLeft: choices.isLeft)
    return APIResponse(
      headers: EmbeddingRoutes.headers(result, texts), body: VectorJSON.matrix(result.vectors))
  }

  private func embedAll(_ request: APIRequest) async throws -> APIResponse {
    let fields = try RequestFields(request.body)
    let current = services.host.current
    let choices = try Choices(fields, current)
    let (texts, _) = try inputs(fields, request)
    let result = try await services.embeddings.vectors(
      texts, engine: current.engine, output: .tokens, prompt: choices.prompt, normalize: false,
      truncate: choices.truncate, truncatesLeft: choices.isLeft)
    let width = current.engine.width(.tokens)
    var body: [UInt8] = [UInt8(ascii: "[")]
    for (place, states) in result.vectors.enumerated() {
      if place > 0 { body.append(UInt8(ascii: ",")) }
      body += VectorJSON.matrix(
        stride(from: 0, to: states.count, by: width).map { states[$0..<($0 + width)] })
    }
    body.append(UInt8(ascii: "]"))
    return APIResponse(headers: EmbeddingRoutes.headers(result, texts), body: body)
  }

  private func inputs(
    _ fields: RequestFields, _ request: APIRequest
  ) throws -> (texts: [EmbeddingService.Text], isSingle: Bool) {
    request.notes.isBatch = InputTexts.isBatch(fields["inputs"])
    return try InputTexts.read(
      fields.required("inputs"), field: "inputs", limit: services.options.clientBatchLimit)
  }

  /// Cosines of a text with others.
  private func cosines(
    _ query: String, _ texts: [String], _ choices: Choices
  ) async throws -> (cosines: [Float], headers: [(name: String, value: String)], tokens: Int) {
    let all = ([query] + texts).map { EmbeddingService.Text.string($0) }
    let result = try await services.embeddings.vectors(
      all, engine: services.host.current.engine, output: choices.output, prompt: choices.prompt,
      normalize: true, truncate: choices.truncate, truncatesLeft: choices.isLeft)
    let first = result.vectors[0]
    let cosines = result.vectors.dropFirst().map { vector in
      zip(first, vector).reduce(Float(0)) { $0 + $1.0 * $1.1 }
    }
    return (cosines, EmbeddingRoutes.headers(result, all), result.tokens)
  }

  private func similarity(_ request: APIRequest) async throws -> APIResponse {
    request.notes.isBatch = true
    let fields = try RequestFields(request.body)
    let inner = try RequestFields(fields.required("inputs"))
    let parameters = try RequestFields(fields["parameters"] ?? .object([]))
    let choices = try Choices(parameters, services.host.current)
    guard let source = try inner.string("source_sentence") else {
      throw APIError.validation("`inputs.source_sentence` is missing", field: "inputs")
    }
    let sentences = try texts(inner, "sentences", limit: services.options.clientBatchLimit)
    let (cosines, headers, _) = try await cosines(source, sentences, choices)
    var body: [UInt8] = []
    VectorJSON.append(cosines, to: &body)
    return APIResponse(headers: headers, body: body)
  }

  private func texts(_ fields: RequestFields, _ name: String, limit: Int) throws -> [String] {
    guard let texts = try fields.strings(name) else {
      throw APIError.validation("`\(name)` is missing", field: name)
    }
    guard !texts.isEmpty else {
      throw APIError(kind: .empty, message: "`\(name)` cannot be empty", field: name)
    }
    guard texts.count <= limit else {
      throw APIError.validation(
        "`\(name)` has \(texts.count) texts, more than the \(limit) of a request", field: name)
    }
    return texts
  }

  /// Ranks texts by the cosine of their vectors with the query's: text-embeddings-inference's shape for
  /// `texts`, the shape of Jina and Cohere for `documents`.
  private func rerank(_ request: APIRequest) async throws -> APIResponse {
    request.notes.isBatch = true
    let fields = try RequestFields(request.body)
    let choices = try Choices(fields, services.host.current)
    guard let query = try fields.string("query") else {
      throw APIError.validation("`query` is missing", field: "query")
    }
    let isJina = fields["documents"] != nil
    let texts = try texts(
      isJina ? plainDocuments(fields) : fields, isJina ? "documents" : "texts",
      limit: isJina ? 2048 : services.options.clientBatchLimit)
    let (cosines, headers, tokenCount) = try await cosines(query, texts, choices)
    let raw = try fields.bool("raw_scores", default: false)
    let returnsTexts =
      try fields.bool(isJina ? "return_documents" : "return_text", default: false)
    let order = cosines.indices.sorted { (-cosines[$0], $0) < (-cosines[$1], $1) }
    func score(_ index: Int) -> JSONValue {
      .float(raw ? cosines[index] : (1 + cosines[index]) / 2)
    }
    guard isJina else {
      let list = order.map { index -> JSONValue in
        var members = [
          JSONMember("index", .integer(Int64(index))), JSONMember("score", score(index)),
        ]
        if returnsTexts { members.append(JSONMember("text", .string(texts[index]))) }
        return .object(members)
      }
      return APIResponse(headers: headers, body: JSONValue.array(list).serialized())
    }
    let top = try fields.int("top_n", 1...Int.max) ?? texts.count
    let list = order.prefix(top).map { index -> JSONValue in
      var members = [
        JSONMember("index", .integer(Int64(index))), JSONMember("relevance_score", score(index)),
      ]
      if returnsTexts { members.append(JSONMember("document", ["text": .string(texts[index])])) }
      return .object(members)
    }
    let tokens = Int64(tokenCount)
    let body: JSONValue = [
      "id": .string("rerank-\(UUID().uuidString.lowercased())"),
      "created": .integer(Int64(Date().timeIntervalSince1970)), "object": "rerank",
      "results": .array(Array(list)),
      "model": .string(services.host.current.modelNames[0]),
      "usage": ["prompt_tokens": .integer(tokens), "total_tokens": .integer(tokens)],
    ]
    return APIResponse(headers: headers, body: body.serialized())
  }

  /// The fields with each document `{"text": ...}` as its text.
  private func plainDocuments(_ fields: RequestFields) throws -> RequestFields {
    guard let members = fields.value.objectValue else { return fields }
    return try RequestFields(
      .object(
        members.map { member in
          guard member.key == "documents", let list = member.value.arrayValue else { return member }
          return JSONMember(member.key, .array(list.map { $0["text"] ?? $0 }))
        }))
  }

  private func tokenize(_ request: APIRequest) throws -> APIResponse {
    let fields = try RequestFields(request.body)
    let current = services.host.current
    let choices = try Choices(fields, current)
    let (texts, _) = try inputs(fields, request)
    let special = try fields.bool("add_special_tokens", default: true)
    let lists = try texts.map { text -> JSONValue in
      guard case .string(let string) = text else {
        throw APIError.validation("`inputs` must be a string or a list of strings", field: "inputs")
      }
      let tokens = TokenOffsets(current.engine.model.tokenizer)
        .tokens(choices.prompt + string, addSpecialTokens: special)
      return .array(
        tokens.map { token in
          [
            "id": .integer(Int64(token.id)), "text": .string(token.text),
            "special": .bool(token.isSpecial),
            "start": token.range.map { .integer(Int64($0.lowerBound)) } ?? .null,
            "stop": token.range.map { .integer(Int64($0.upperBound)) } ?? .null,
          ]
        })
    }
    return .json(.array(lists))
  }

  private func decode(_ request: APIRequest) throws -> APIResponse {
    let fields = try RequestFields(request.body)
    let skip = try fields.bool("skip_special_tokens", default: true)
    let (texts, _) = try InputTexts.read(
      fields.required("ids"), field: "ids", limit: services.options.clientBatchLimit)
    let tokenizer = services.host.current.engine.model.tokenizer
    let decoded = try texts.map { text -> JSONValue in
      guard case .ids(let ids) = text else {
        throw APIError.validation("`ids` must be token ids or lists of them", field: "ids")
      }
      return .string(tokenizer.decode(ids, skipSpecialTokens: skip))
    }
    return .json(.array(decoded))
  }
}
