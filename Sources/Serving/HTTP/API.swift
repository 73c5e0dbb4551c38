import Kernels
import Logging
import Synchronization

/// All routes of the server: requests in, responses out, without sockets.
package final class API: Sendable {
  typealias Handler = @Sendable (APIRequest) async throws -> APIResponse

  /// A handler and who may call it.
  struct Endpoint: Sendable {
    let handle: Handler
    /// Whether it answers without the API key.
    let isPublic: Bool
    /// Whether errors look as OpenAI's do.
    let isOpenAI: Bool
    /// The series of text-embeddings-inference's metrics that it counts in.
    let isEmbedding: Bool
    /// Whether it is done though the client hung up: a write may be sent by somebody who doesn't wait for
    /// the answer.
    let isWrite: Bool
  }

  let options: ServerOptions
  let logger: Logger
  let metrics: MetricsRegistry
  let embeddings: EmbeddingService
  let host: ModelHost
  private let key: APIKey?
  private let table: RouteTable<Endpoint>

  init(
    _ options: ServerOptions, logger: Logger, metrics: MetricsRegistry,
    embeddings: EmbeddingService, host: ModelHost, live: LiveState?,
    reload: (@Sendable () async throws -> Bool)?
  ) {
    self.options = options
    self.logger = logger
    self.metrics = metrics
    self.embeddings = embeddings
    self.host = host
    key = options.apiKey.map { APIKey($0) }
    var table = RouteTable<Endpoint>()
    let services = RouteServices(
      options: options, metrics: metrics, embeddings: embeddings, host: host, live: live,
      reload: reload)
    EmbeddingRoutes(services).add(to: &table)
    OpenAIRoutes(services).add(to: &table)
    StatusRoutes(services).add(to: &table)
    RecommendationRoutes(services).add(to: &table)
    AudienceRoutes(services).add(to: &table)
    CatalogueRoutes(services).add(to: &table)
    UserRoutes(services).add(to: &table)
    self.table = table
  }

  /// Methods and patterns of all routes.
  package var routes: [(method: String, pattern: String)] {
    table.routes.map { ($0.method, $0.pattern) }
  }

  /// The most bytes of a body.
  package var bodyLimit: Int { options.bodyLimit }

  /// Answers a request; what goes wrong becomes a response too.
  package func respond(to request: APIRequest) async -> APIResponse {
    let start = ContinuousClock.now
    var pattern = "unknown"
    var isEmbedding = false
    // Until a route is found, the path alone says whose error object is expected.
    var isOpenAI = request.path.hasPrefix("/v1/")
    var response: APIResponse
    do {
      if request.method == "OPTIONS", options.allowedOrigin != nil {
        response = preflight()
        pattern = "preflight"
      } else {
        let (route, parameters) = try table.find(request.method, request.path)
        pattern = route.pattern
        isEmbedding = route.handler.isEmbedding
        isOpenAI = route.handler.isOpenAI
        if let key, !route.handler.isPublic, !key.admits(request) {
          throw APIError(
            kind: .unauthorized,
            message: "the API key is missing or wrong; send Authorization: Bearer KEY")
        }
        var matched = request
        matched.parameters = parameters
        response = try await answer(matched, by: route.handler)
      }
    } catch {
      response = failure(error, isOpenAI: isOpenAI, isEmbedding: isEmbedding)
    }
    if let origin = options.allowedOrigin, request.origin != nil {
      response.headers.append(("Access-Control-Allow-Origin", origin))
      if origin != "*" { response.headers.append(("Vary", "Origin")) }
    }
    record(request, pattern, response, (ContinuousClock.now - start).inSeconds, isEmbedding)
    return response
  }

  private func answer(_ request: APIRequest, by endpoint: Endpoint) async throws -> APIResponse {
    guard endpoint.isWrite else { return try await endpoint.handle(request) }
    // A task of its own isn't cancelled with this one.
    return try await Task { try await endpoint.handle(request) }.value
  }

  private func failure(_ error: any Error, isOpenAI: Bool, isEmbedding: Bool) -> APIResponse {
    guard let error = error as? APIError else {
      // The client learns nothing of the inside; the log does.
      logger.error("request failed", metadata: ["error": "\(error)"])
      return APIError(kind: .internal, message: "internal error").response(openAI: isOpenAI)
    }
    if isEmbedding, error.kind != .hungUp {
      let name =
        switch error.kind {
        case .validation, .empty, .malformed: "validation"
        case .tokenizer: "tokenization"
        case .overloaded: "overloaded"
        case .backend: "model_type"
        default: "inference"
        }
      metrics.count("te_request_failure", MetricsRegistry.labels([("err", name)]))
    }
    return error.response(openAI: isOpenAI)
  }

  private func preflight() -> APIResponse {
    var response = APIResponse.empty(204)
    response.headers += [
      ("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE"),
      ("Access-Control-Allow-Headers", "authorization, content-type, x-api-key"),
      ("Access-Control-Max-Age", "600"),
    ]
    return response
  }

  private func record(
    _ request: APIRequest, _ pattern: String, _ response: APIResponse, _ seconds: Double,
    _ isEmbedding: Bool
  ) {
    let route = [("method", knownMethod(request.method)), ("route", pattern)]
    metrics.count(
      "encoder_http_requests_total",
      MetricsRegistry.labels(route + [("status", String(response.status))]))
    metrics.record(
      "encoder_http_request_duration_seconds", MetricsRegistry.labels(route), seconds)
    if isEmbedding {
      let method = MetricsRegistry.labels([
        ("method", request.notes.isBatch ? "batch" : "single")
      ])
      metrics.count("te_request_count", method)
      if response.status == 200 { metrics.count("te_request_success", method) }
      metrics.record("te_request_duration", "", seconds)
    }
    // The path without its query: it is data, and text may stand in it.
    logger.info(
      "request",
      metadata: [
        "method": "\(knownMethod(request.method))", "route": "\(pattern)",
        "status": "\(response.status)", "milliseconds": "\((seconds * 1e5).rounded() / 100)",
        "bytes": "\(response.body.count)",
      ])
  }

  /// The method, if it is a usual one: metrics must not grow with what clients invent.
  private func knownMethod(_ method: String) -> String {
    ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"].contains(method)
      ? method : "other"
  }
}

/// What handlers work with.
struct RouteServices: Sendable {
  let options: ServerOptions
  let metrics: MetricsRegistry
  let embeddings: EmbeddingService
  let host: ModelHost
  /// Items and users; nil for an encoder alone.
  let live: LiveState?
  /// Takes up another version where there is one, and says whether it did.
  let reload: (@Sendable () async throws -> Bool)?
}

extension RouteTable where Handler == API.Endpoint {
  /// Adds a route that needs the API key, if there is one.
  mutating func add(
    _ method: String, _ pattern: String, isPublic: Bool = false, isOpenAI: Bool = false,
    isEmbedding: Bool = false, isWrite: Bool = false, handle: @escaping API.Handler
  ) {
    add(
      method, pattern,
      API.Endpoint(
        handle: handle, isPublic: isPublic, isOpenAI: isOpenAI, isEmbedding: isEmbedding,
        isWrite: isWrite))
  }
}
