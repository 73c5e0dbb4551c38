import Tokenization

/// OpenAI's `POST /v1/embeddings` and `GET /v1/models`.
struct OpenAIRoutes: Sendable {
  private let services: RouteServices
  /// OpenAI's limit on the texts of a request.
  private static let textLimit = 2048

  init(_ services: RouteServices) { self.services = services }

  func add(to table: inout RouteTable<API.Endpoint>) {
    for path in ["/v1/embeddings", "/embeddings"] {
      table.add("POST", path, isOpenAI: true, isEmbedding: true) { try await embeddings($0) }
    }
    table.add("GET", "/v1/models", isOpenAI: true) { _ in
      .json(["object": "list", "data": .array(services.host.current.modelNames.map(object))])
    }
    table.add("GET", "/v1/models/{model}", isOpenAI: true) { request in
      let name = request.parameters["model"] ?? ""
      _ = try services.host.current.output(named: name)
      return .json(object(name))
    }
  }

  private func object(_ name: String) -> JSONValue {
    [
      "id": .string(name), "object": "model",
      "created": .integer(Int64(services.host.current.loadedAt)), "owned_by": "encoder",
    ]
  }

  private func embeddings(_ request: APIRequest) async throws -> APIResponse {
    let fields = try RequestFields(request.body)
    let current = services.host.current
    let name = try fields.string("model") ?? current.modelNames[0]
    let output = try current.output(named: name)
    request.notes.isBatch = InputTexts.isBatch(fields["input"])
    let (texts, _) = try InputTexts.read(
      fields.required("input"), field: "input", limit: OpenAIRoutes.textLimit)
    let format = try fields.string("encoding_format") ?? "float"
    guard ["float", "base64"].contains(format) else {
      throw APIError.validation(
        "`encoding_format` must be float or base64", field: "encoding_format")
    }
    _ = try fields.string("user")
    let width = current.engine.width(output)
    let dimensions = try fields.int("dimensions", 1...width)
    let result = try await services.embeddings.vectors(
      texts, engine: current.engine, output: output,
      prompt: output.isPooled ? current.defaultPrompt : "", normalize: nil,
      dimensions: dimensions)
    var body = Array(#"{"object":"list","data":["#.utf8)
    for (index, vector) in result.vectors.enumerated() {
      if index > 0 { body.append(UInt8(ascii: ",")) }
      body.append(contentsOf: #"{"object":"embedding","index":\#(index),"embedding":"#.utf8)
      if format == "base64" {
        body.append(contentsOf: "\"\(VectorJSON.base64(vector))\"".utf8)
      } else {
        VectorJSON.append(vector, to: &body)
      }
      body.append(UInt8(ascii: "}"))
    }
    body.append(contentsOf: #"],"model":"#.utf8)
    body.append(contentsOf: JSONValue.string(name).serialized())
    body.append(
      contentsOf:
        #","usage":{"prompt_tokens":\#(result.tokens),"total_tokens":\#(result.tokens)}}"#.utf8)
    return APIResponse(headers: EmbeddingRoutes.headers(result, texts), body: body)
  }
}
