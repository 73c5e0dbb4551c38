import Datasets
import Kernels
import Recommendation
import Synchronization

/// Finds the users whom an item is for, on a thread of its own: making its index takes a pass over all
/// users, during which lists must go on being made.
final class AudienceService: Sendable {
  /// A user with the item's score.
  struct Member: Sendable {
    let user: String
    let score: Float
  }

  private struct Job: Sendable {
    /// The item's place; nil makes the index only.
    let place: Int32?
    let k: Int
    let includesOwners: Bool
    let catalogue: Catalogue
    let live: LiveState
  }

  /// The index of one version, with its users' ids by row.
  private struct Known: Sendable {
    let model: LoadedModel
    var index: AudienceIndex
    var users: IDTable
  }

  private let queue: BatchQueue<Job, [Member]>
  private let deadline: Duration

  init(_ options: ServerOptions, metrics: MetricsRegistry) {
    deadline = .seconds(options.deadline)
    let known = Mutex<Known?>(nil)
    let label = MetricsRegistry.labels([("queue", "audience")])
    var observer = BatchQueue<Job, [Member]>.Observer()
    observer.dropped = { metrics.count("encoder_abandoned_inputs_total", label, by: Double($0)) }
    queue = BatchQueue(
      name: "audience", threads: 1, limit: options.queueLimit, budget: 1, batchLimit: 1,
      isBackground: true, observer: observer
    ) { _, jobs in
      try jobs.map { job in try known.withLock { try AudienceService.run(job, &$0) } }
    }
  }

  /// Ends without waiting: making an index may take long.
  func close() { queue.close(drains: false) }

  /// Begins to make the index of the version in use.
  func prepare(_ live: LiveState) {
    let job = Job(
      place: nil, k: 0, includesOwners: false, catalogue: live.catalogue, live: live)
    let (queue, deadline) = (queue, deadline)
    Task { try? await queue.submit([job], costs: [1], deadline: deadline) }
  }

  /// The `k` users with the highest scores for an item, best first.
  func audience(
    of place: Int32, k: Int, includesOwners: Bool, in catalogue: Catalogue, _ live: LiveState
  ) async throws -> [Member] {
    try await queue.submit(
      [
        Job(
          place: place, k: k, includesOwners: includesOwners, catalogue: catalogue, live: live)
      ], costs: [1], deadline: deadline)[0]
  }

  private static func run(_ job: Job, _ known: inout Known?) throws -> [Member] {
    let (catalogue, live) = (job.catalogue, job.live)
    let recommender = try catalogue.recommender()
    var current: Known
    if let known, known.model === catalogue.model {
      current = known
      try update(&current, live.events.takeChanged(), catalogue, recommender, live)
    } else {
      current = Known(
        model: catalogue.model,
        index: try AudienceIndex(
          catalogue.online.recommender, histories: catalogue.online.recommender.histories,
          userFeatures: catalogue.online.recommender.userFeatures, workers: Workers(count: 1)),
        users: catalogue.online.recommender.users)
      _ = live.events.takeChanged()
      let forgotten = current.users.strings.filter { live.events.isForgotten($0) }
      try update(&current, live.events.users() + forgotten, catalogue, recommender, live)
    }
    known = current
    guard let place = job.place else { return [] }
    // Forgotten users have rows still, without a history; nothing is for them.
    let members = try current.index.audience(
      of: [place], in: recommender, k: job.k + 100, includesOwners: job.includesOwners,
      workers: Workers(count: 1))[0]
    var result: [Member] = []
    for member in members where result.count < job.k {
      let user = current.users[Int(member.user)]
      if live.events.isForgotten(user), !live.events.contains(user) { continue }
      result.append(Member(user: user, score: member.score))
    }
    return result
  }

  /// Takes newer histories of some users into the index.
  private static func update(
    _ known: inout Known, _ users: [String], _ catalogue: Catalogue, _ recommender: Recommender,
    _ live: LiveState
  ) throws {
    var rows: [(row: Int32, history: UserHistory)] = []
    for user in IDTable(users).strings {
      let row = Int32(known.users.insert(user))
      rows.append(
        (row, live.history(of: user, in: catalogue) ?? UserHistory(places: [], features: nil)))
    }
    guard !rows.isEmpty else { return }
    rows.sort { $0.row < $1.row }
    var entries: [SparseMatrix.Entry] = []
    for (n, entry) in rows.enumerated() {
      for place in entry.history.places where Int(place) < recommender.items.count {
        entries.append(.init(row: Int32(n), column: place))
      }
    }
    let width = recommender.models.network.configuration.userInputs
    var features: DenseMatrix?
    if width > 0 {
      var table = DenseMatrix(rowCount: rows.count, columnCount: width)
      for (n, entry) in rows.enumerated() {
        for (d, value) in (entry.history.features ?? []).prefix(width).enumerated() {
          table[n, d] = value
        }
      }
      features = table
    }
    try known.index.update(
      rows.map(\.row),
      histories: SparseMatrix(
        rowCount: rows.count, columnCount: recommender.items.count, entries: entries),
      features: features, in: recommender, workers: Workers(count: 1))
  }
}
