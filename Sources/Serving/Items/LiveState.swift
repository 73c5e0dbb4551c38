import Datasets
import Foundation
import Kernels
import Logging
import Recommendation
import Synchronization

/// The moving part of a recommender: items and events as they come in.
///
/// All writes go through one thread. It takes what waits, writes it in one transaction, changes the
/// memory, and only then tells those who asked: thousands of writes share one flush of the disk.
final class LiveState: Sendable {
  /// One client's changes.
  private struct Write: Sendable {
    var changes: [(change: StateChange, vectors: OnlineItem?)] = []
    /// The version that the vectors belong to.
    var model: LoadedModel?
    /// A version to put into use.
    var swap: Swap?
  }

  private struct Swap: Sendable {
    let model: LoadedModel
    let online: OnlineModel
    let vectors: [(record: ItemRecord, vectors: OnlineItem)]
  }

  private let store: any StateStorage
  private let host: ModelHost
  private let metrics: MetricsRegistry
  private let logger: Logger
  private let state: Mutex<Catalogue>
  let events = UserEvents()
  private let deadline: Duration
  private let writer = Mutex<BatchQueue<Write, Bool>?>(nil)
  let ranking: RankingService
  let audiences: AudienceService

  /// Reads the database and puts its items beside the model's.
  ///
  /// - Throws: ``ServingError`` for a database that can't be used.
  init(
    _ options: ServerOptions, storage: any StateStorage, online: OnlineModel, host: ModelHost,
    ranking: RankingService, metrics: MetricsRegistry, logger: Logger
  ) throws {
    self.host = host
    self.metrics = metrics
    self.logger = logger
    self.ranking = ranking
    audiences = AudienceService(options, metrics: metrics)
    deadline = .seconds(options.deadline)
    store = storage
    let rule = online.recommender.rule
    var batch: [Event] = []
    events.markForgotten(try store.forgotten())
    let live = events
    try store.forEachEvent { event in
      batch.append(event)
      if batch.count == 4096 {
        live.add(batch) { rule.isPositive($0) }
        batch.removeAll(keepingCapacity: true)
      }
    }
    live.add(batch) { rule.isPositive($0) }
    let records = try store.items()
    let vectors = VectorStore(storage: store)
    let known = try vectors.read(records, of: host.current, online)
    let all = LiveState.represented(
      records, online, known: known, workers: Workers(count: options.threads))
    // What had to be computed is there the next time.
    let fresh = all.indices.compactMap { place in
      known[place] == nil ? all[place].vectors.map { (all[place].record, $0) } : nil
    }
    do { try vectors.keep(fresh, of: host.current) } catch {
      logger.warning("vectors aren't kept", metadata: ["error": "\(error)"])
    }
    state = Mutex(
      LiveState.catalogue(
        host.current, online, records: all,
        removed: IDSet(try store.ids(removed: true)), blocked: IDSet(try store.ids(removed: false))
      ))
    let queue = BatchQueue<Write, Bool>(
      name: "writer", threads: 1, limit: 4096, budget: 100_000, batchLimit: 4096,
      run: { [unowned self] _, writes in try self.perform(writes) })
    writer.withLock { $0 = queue }
    audiences.prepare(self)
  }

  /// All items at this moment.
  var catalogue: Catalogue { state.withLock { $0 } }

  /// Ends the writing thread once what waits is on the disk.
  func close() {
    writer.withLock { $0 }?.close()
    audiences.close()
    store.close()
  }

  /// Writes that wait.
  var queueSize: Int { writer.withLock { $0 }?.count ?? 0 }

  // MARK: Writing

  /// Makes changes, and returns once they are on the disk and in use.
  ///
  /// - Throws: ``APIError`` for a full queue, a passed deadline, and a disk that can't be written.
  func write(_ changes: [StateChange]) async throws {
    try await submit(Write(changes: changes.map { ($0, nil) }))
  }

  /// Puts items with their vectors.
  func put(_ records: [ItemRecord]) async throws {
    let catalogue = catalogue
    let trained = catalogue.online.recommender.items.ids
    let new = records.filter { trained.index(of: $0.id) == nil }
    let vectors = try await ranking.represent(new, online: catalogue.online)
    var next = vectors.makeIterator()
    let changes = records.flatMap { record -> [(change: StateChange, vectors: OnlineItem?)] in
      guard trained.index(of: record.id) == nil, let own = next.next() else {
        return [(.putItem(record), nil)]
      }
      return [
        (.putItem(record), own), (VectorStore.change(record, own, of: catalogue.model), nil),
      ]
    }
    try await submit(Write(changes: changes, model: catalogue.model))
  }

  private func submit(_ write: Write) async throws {
    guard let writer = writer.withLock({ $0 }) else { return }
    let cost = write.changes.reduce(1) { sum, change in
      if case .events(let events) = change.change { sum + events.count } else { sum + 1 }
    }
    _ = try await writer.submit([write], costs: [cost], deadline: deadline)
  }

  /// One transaction, on the writing thread.
  private func perform(_ writes: [Write]) throws -> [Bool] {
    let changes = writes.flatMap { $0.changes.map(\.change) }
    if !changes.isEmpty {
      do { try store.write(changes) } catch {
        logger.error("the database can't be written", metadata: ["error": "\(error)"])
        throw APIError(
          kind: .unhealthy, message: "the change could not be stored", retryAfter: 5)
      }
      metrics.count("encoder_commits_total")
    }
    // Items of all writes together make one new catalogue, except where a version comes in between.
    var pending: [(change: StateChange, vectors: OnlineItem?)] = []
    func flush() {
      guard !pending.isEmpty else { return }
      let changed = catalogue.applying(pending)
      state.withLock { $0 = changed }
      // Only now, or an audience asked for in between would take their histories without it.
      for change in pending where change.vectors != nil {
        if case .putItem(let record) = change.change { events.markChanged(havingItem: record.id) }
      }
      pending = []
    }
    for write in writes {
      if let swap = write.swap {
        flush()
        take(swap)
      }
      pending += apply(write)
    }
    flush()
    return [Bool](repeating: true, count: writes.count)
  }

  /// Takes in events, and returns what changes the catalogue.
  private func apply(_ write: Write) -> [(change: StateChange, vectors: OnlineItem?)] {
    let rule = catalogue.online.recommender.rule
    var itemChanges: [(change: StateChange, vectors: OnlineItem?)] = []
    for change in write.changes {
      switch change.change {
      case .events(let new):
        events.add(new) { rule.isPositive($0) }
        metrics.count("encoder_events_total", by: Double(new.count))
      case .forget(let user, _): events.forget(user)
      case .keepVectors: continue
      case .putItem(let record):
        itemChanges.append((change.change, current(record, change.vectors, of: write.model)))
        metrics.count("encoder_item_writes_total")
      default:
        itemChanges.append(change)
        metrics.count("encoder_item_writes_total")
      }
    }
    return itemChanges
  }

  /// Vectors for the version in use: those given, or new ones when it was replaced in between.
  private func current(
    _ record: ItemRecord, _ vectors: OnlineItem?, of model: LoadedModel?
  ) -> OnlineItem? {
    let catalogue = catalogue
    if model === catalogue.model { return vectors }
    if catalogue.online.recommender.items.ids.index(of: record.id) != nil { return nil }
    return LiveState.represented([record], catalogue.online, workers: Workers(count: 1))[0].vectors
  }

  // MARK: Versions

  /// Puts another version into use.
  ///
  /// Requests that run keep theirs; none fails.
  func replace(with model: LoadedModel, workers: Workers) async throws {
    guard let online = model.online else {
      throw APIError.validation("the new version has no recommender")
    }
    let old = catalogue
    // Every stored item, also training's: what is new to one version may be known to another.
    let records =
      old.newItems.map(\.record)
      + old.overrides.keys.sorted().compactMap {
        old.overrides[$0]
      }
    let vectors = LiveState.represented(records, online, workers: workers)
    try await submit(
      Write(
        swap: Swap(
          model: model, online: online,
          vectors: vectors.compactMap { entry in entry.vectors.map { (entry.record, $0) } })))
    // What is training's now needs none.
    let kept = vectors.map { entry in
      entry.vectors.map { VectorStore.change(entry.record, $0, of: model) }
        ?? .keepVectors(id: entry.record.id, source: 0, bytes: [])
    }
    do {
      // Some at a time, between the writes of others.
      for first in stride(from: 0, to: kept.count, by: VectorStore.batch) {
        try await write(Array(kept[first..<min(first + VectorStore.batch, kept.count)]))
      }
    } catch {
      // The version is in use all the same; the next start computes what isn't kept.
      logger.warning("vectors aren't kept", metadata: ["error": "\(error)"])
    }
  }

  private func take(_ swap: Swap) {
    let old = catalogue
    var records: [(record: ItemRecord, vectors: OnlineItem?)] = []
    let known = IDTable(swap.vectors.map(\.record.id))
    for record in old.newItems.map(\.record)
      + old.overrides.keys.sorted().compactMap({
        old.overrides[$0]
      })
    {
      // A text that changed since the vectors were computed needs new ones.
      if let place = known.index(of: record.id), swap.vectors[place].record == record {
        records.append((record, swap.vectors[place].vectors))
      } else {
        records += LiveState.represented([record], swap.online, workers: Workers(count: 1))
      }
    }
    let made = LiveState.catalogue(
      swap.model, swap.online, records: records, removed: old.removed, blocked: old.blocked)
    state.withLock { $0 = made }
    audiences.prepare(self)
    host.replace(with: swap.model)
    metrics.count("encoder_model_swaps_total")
    logger.notice("model in use", metadata: ["version": "\(swap.model.version)"])
  }

  /// Records with vectors; none for items of the training catalogue.
  private static func represented(
    _ records: [ItemRecord], _ online: OnlineModel, known: [Int: OnlineItem] = [:],
    workers: Workers
  ) -> [(record: ItemRecord, vectors: OnlineItem?)] {
    let trained = online.recommender.items.ids
    let new = records.indices.filter {
      known[$0] == nil && trained.index(of: records[$0].id) == nil
    }
    // Not so large that threads wait for the last one.
    let block = max(1, min(256, new.count / (4 * workers.count)))
    let blocks = (new.count + block - 1) / block
    let made = Mutex<[Int: OnlineItem]>([:])
    let next = Atomic<Int>(0)
    workers.run { _ in
      while true {
        let place = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard place < blocks else { return }
        let part = new[(place * block)..<min((place + 1) * block, new.count)]
        let vectors = RankingService.represent(part.map { records[$0] }, online)
        made.withLock { made in for (n, row) in part.enumerated() { made[row] = vectors[n] } }
      }
    }
    let vectors = made.withLock { $0 }
    return records.indices.map { (records[$0], known[$0] ?? vectors[$0]) }
  }

  private static func catalogue(
    _ model: LoadedModel, _ online: OnlineModel,
    records: [(record: ItemRecord, vectors: OnlineItem?)], removed: IDSet, blocked: IDSet
  ) -> Catalogue {
    let trained = online.recommender.items.ids
    var overrides: [Int32: ItemRecord] = [:]
    var newItems: [Catalogue.NewItem] = []
    for (record, vectors) in records {
      if let place = trained.index(of: record.id) {
        overrides[Int32(place)] = record
      } else if let vectors {
        newItems.append(.init(record: record, vectors: vectors))
      }
    }
    return Catalogue(
      model: model, online: online, newItems: newItems, overrides: overrides, removed: removed,
      blocked: blocked)
  }

  // MARK: Histories

  /// What is known of a user: behaviours of training and events since; nil for a stranger.
  func history(of user: String, in catalogue: Catalogue) -> UserHistory? {
    let recommender = catalogue.online.recommender
    let trained = trainedRow(of: user, recommender)
    guard trained != nil || events.contains(user) else { return nil }
    var places: [Int32] = []
    if let trained { places += recommender.histories.columns(ofRow: trained) }
    let fresh = events.items(of: user).compactMap { catalogue.place(of: $0) }
    places += fresh.filter { !places.contains($0) }
    let features = trained.flatMap { row in
      recommender.userFeatures.map { Array($0.row(row)) }
    }
    return UserHistory(places: places, features: features)
  }

  /// A user's row in training; nil for one that is new or was forgotten.
  private func trainedRow(of user: String, _ recommender: Recommender) -> Int? {
    events.isForgotten(user) ? nil : recommender.users.index(of: user)
  }

  /// All events, in the order in which they came, for an update of the model.
  func forEachEvent(_ body: (Event) throws -> Void) throws { try store.forEachEvent(body) }

  /// All items that came in, by id.
  func storedItems() throws -> [ItemRecord] { try store.items() }
}
