import Foundation
import Recommendation
import Tokenization

/// Health, what the server is, its metrics, its page.
struct StatusRoutes: Sendable {
  private let services: RouteServices

  init(_ services: RouteServices) { self.services = services }

  func add(to table: inout RouteTable<API.Endpoint>) {
    for path in ["/health", "/ping"] {
      table.add("GET", path, isPublic: true) { _ in .empty() }
    }
    table.add("GET", "/info") { _ in .json(info()) }
    table.add("GET", "/metrics", isPublic: true) { _ in
      APIResponse(
        contentType: "text/plain; version=0.0.4; charset=utf-8",
        body: Array(services.metrics.text(gauges: gauges()).utf8))
    }
    table.add("GET", "/openapi.json", isPublic: true) { _ in
      APIResponse(body: PackageResources.openapi_json)
    }
    table.add("GET", "/model") { _ in .json(try model()) }
    table.add("GET", "/model/report") { _ in try report() }
    if let reload = services.reload {
      table.add("POST", "/admin/reload") { _ in
        let isNew = try await reload()
        return .json([
          "reloaded": .bool(isNew), "version": .string(services.host.current.version),
        ])
      }
    }
    for asset in PageAssets.all {
      table.add("GET", asset.path, isPublic: true) { _ in
        APIResponse(
          contentType: asset.contentType, headers: PageAssets.headers, body: asset.bytes)
      }
    }
  }

  private func info() -> JSONValue {
    let (options, current) = (services.options, services.host.current)
    return [
      "model_id": .string(current.name), "model_sha": .null, "model_dtype": "float32",
      "served_model_name": .string(current.name),
      "model_type": [
        "embedding": [
          "pooling": .string(
            current.engine.model.sentence.pooling.modes.map(\.rawValue).joined(separator: "+"))
        ]
      ],
      "max_concurrent_requests": .integer(Int64(options.queueLimit)),
      "max_input_length": .integer(
        Int64(current.engine.maximumLength(current.online == nil ? .encoder() : .tower))),
      "max_batch_tokens": .integer(Int64(options.batchTokens)), "max_batch_requests": .null,
      "max_client_batch_size": .integer(Int64(options.clientBatchLimit)),
      "auto_truncate": .bool(options.cutsLongTexts),
      "tokenization_workers": .integer(Int64(ProcessInfo.processInfo.activeProcessorCount)),
      "version": .string(ServerVersion.text), "sha": .null, "docker_label": .null,
      "model_version": .string(current.version),
    ]
  }

  private func gauges() -> [MetricsRegistry.Gauge] {
    let current = services.host.current
    var gauges = [
      MetricsRegistry.Gauge(
        name: "encoder_model_info", help: "The version of the model in use.",
        labels: MetricsRegistry.labels([("model", current.name), ("version", current.version)]),
        value: 1),
      .init(
        name: "encoder_queue_size", help: "Inputs that wait, by queue.",
        labels: "queue=\"embedding\"", value: Double(services.embeddings.queueSize)),
    ]
    if let live = services.live {
      gauges += [
        .init(
          name: "encoder_queue_size", help: "Inputs that wait, by queue.",
          labels: "queue=\"ranking\"", value: Double(live.ranking.queueSize)),
        .init(
          name: "encoder_queue_size", help: "Inputs that wait, by queue.",
          labels: "queue=\"writes\"", value: Double(live.queueSize)),
        .init(
          name: "encoder_items", help: "Items, removed ones too.", labels: "",
          value: Double(live.catalogue.count)),
      ]
    }
    return gauges + [
      .init(
        name: "encoder_cache_size", help: "Vectors in the cache.", labels: "",
        value: Double(current.engine.cache.count)),
      .init(
        name: "te_queue_size", help: "Texts that wait.", labels: "",
        value: Double(services.embeddings.queueSize)),
      .init(
        name: "process_resident_memory_bytes", help: "Bytes of memory in use.", labels: "",
        value: ProcessFigures.residentBytes),
      .init(
        name: "process_cpu_seconds_total", help: "Seconds of processor time.", labels: "",
        value: ProcessFigures.processorSeconds, type: "counter"),
    ]
  }

  private func model() throws -> JSONValue {
    let current = services.host.current
    var members = [
      JSONMember("name", .string(current.name)), JSONMember("version", .string(current.version)),
      JSONMember("loaded_at", .integer(Int64(current.loadedAt))),
      JSONMember("models", .array(current.modelNames.map { .string($0) })),
      JSONMember("parameters", .integer(Int64(current.engine.model.weights.count))),
      JSONMember("width", .integer(Int64(current.engine.width(.encoder())))),
      JSONMember("recommender", .bool(current.online != nil)),
      JSONMember("report", .bool(reportURL() != nil)),
    ]
    if let live = services.live {
      let catalogue = live.catalogue
      let recommender = catalogue.online.recommender
      members += [
        JSONMember("items", .integer(Int64(catalogue.count))),
        JSONMember("items_of_training", .integer(Int64(catalogue.trainedCount))),
        JSONMember("users_of_training", .integer(Int64(recommender.users.count))),
        JSONMember("events", .integer(Int64(live.events.count))),
        JSONMember(
          "columns",
          .array((recommender.items.features?.columns ?? []).map { .string($0.name) })),
        JSONMember(
          "quality",
          [
            "cold_ndcg_20": .number(recommender.metrics.coldNDCG),
            "warm_ndcg_20": .number(recommender.metrics.warmNDCG),
          ]),
      ]
    }
    return .object(members)
  }

  private func reportURL() -> URL? {
    let url = services.host.current.directory.appendingPathComponent(
      RecommenderReport.fileName)
    return FileManager.default.fileExists(atPath: url.path) ? url : nil
  }

  private func report() throws -> APIResponse {
    guard let url = reportURL(), let data = try? Data(contentsOf: url) else {
      throw APIError.notFound("the model has no training report")
    }
    return APIResponse(contentType: "text/html; charset=utf-8", body: Array(data))
  }
}

/// The version of the program, as its routes say it.
enum ServerVersion {
  static let text = "0.1.0"
}
