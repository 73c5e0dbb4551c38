import Datasets
import Kernels
import Recommendation

/// Computes ranked lists and the vectors of new items on threads of their own, several at once.
final class RankingService: Sendable {
  private enum Job: Sendable {
    case rank(Catalogue, OnlineModel.Query)
    case represent(OnlineModel, ItemRecord)
    /// Anything else that computes.
    case other(@Sendable () throws -> any Sendable)
  }

  private enum Output: Sendable {
    case list([RankedLists.Element])
    case vectors(OnlineItem)
    case other(any Sendable)
  }

  private let queue: BatchQueue<Job, Output>
  private let deadline: Duration

  init(_ options: ServerOptions, threads: Int, metrics: MetricsRegistry) {
    deadline = .seconds(options.deadline)
    let label = MetricsRegistry.labels([("queue", "ranking")])
    var observer = BatchQueue<Job, Output>.Observer()
    observer.batch = { inputs, _, seconds in
      metrics.record(
        "encoder_batch_size", label, Double(inputs), bounds: MetricsRegistry.sizeBounds)
      metrics.record("encoder_batch_duration_seconds", label, seconds)
    }
    observer.waited = { metrics.record("encoder_queue_duration_seconds", label, $0) }
    observer.dropped = { metrics.count("encoder_abandoned_inputs_total", label, by: Double($0)) }
    queue = BatchQueue(
      name: "ranking", threads: threads, limit: options.queueLimit, budget: 16, batchLimit: 16,
      observer: observer, run: { _, jobs in try RankingService.run(jobs) })
  }

  /// Lists that wait.
  var queueSize: Int { queue.count }

  func close() { queue.close() }

  /// The ranked list of a query.
  func rank(_ query: OnlineModel.Query, in catalogue: Catalogue) async throws
    -> [RankedLists.Element]
  {
    let outputs = try await queue.submit(
      [.rank(catalogue, query)], costs: [1], deadline: deadline)
    guard case .list(let list) = outputs[0] else { return [] }
    return list
  }

  /// Vectors of new items.
  func represent(_ records: [ItemRecord], online: OnlineModel) async throws -> [OnlineItem] {
    let outputs = try await queue.submit(
      records.map { .represent(online, $0) }, costs: records.map { _ in 2 }, deadline: deadline)
    return outputs.compactMap { if case .vectors(let vectors) = $0 { vectors } else { nil } }
  }

  /// Runs a computation on the queue's threads.
  func compute<Result: Sendable>(
    _ body: @escaping @Sendable () throws -> Result
  ) async throws -> Result {
    let outputs = try await queue.submit([.other(body)], costs: [16], deadline: deadline)
    guard case .other(let any) = outputs[0], let result = any as? Result else {
      throw APIError(kind: .internal, message: "internal error")
    }
    return result
  }

  private static func run(_ jobs: [Job]) throws -> [Output] {
    var outputs = [Output?](repeating: nil, count: jobs.count)
    for first in jobs.indices where outputs[first] == nil {
      switch jobs[first] {
      case .rank(let catalogue, _):
        var members: [Int] = []
        var queries: [OnlineModel.Query] = []
        for place in first..<jobs.count {
          guard case .rank(let other, let query) = jobs[place], other === catalogue else {
            continue
          }
          members.append(place)
          queries.append(query)
        }
        let lists = catalogue.online.rank(queries, block: catalogue.block)
        for (n, place) in members.enumerated() { outputs[place] = .list(lists[n]) }
      case .represent(let online, _):
        var members: [Int] = []
        var records: [ItemRecord] = []
        for place in first..<jobs.count {
          guard case .represent(let other, let record) = jobs[place], other === online else {
            continue
          }
          members.append(place)
          records.append(record)
        }
        let vectors = represent(records, online)
        for (n, place) in members.enumerated() { outputs[place] = .vectors(vectors[n]) }
      case .other(let body): outputs[first] = .other(try body())
      }
    }
    return outputs.compactMap { $0 }
  }

  /// Vectors of items by their texts and features, on the calling thread.
  static func represent(_ records: [ItemRecord], _ online: OnlineModel) -> [OnlineItem] {
    let recommender = online.recommender
    let columns = recommender.items.features?.columns.map(\.name) ?? []
    let features = recommender.features(
      of: ItemTable(
        ids: IDTable(records.indices.map { String($0) }), texts: records.map(\.text),
        features: FeatureTable(
          columns: columns.map { name in
            .init(name: name, values: records.map { $0.feature(name) ?? "" })
          }, rowCount: records.count)))
    return online.represent(records.map(\.text), features: features)
  }
}
