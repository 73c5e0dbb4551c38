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
    /// Whose audience; nil makes the index only.
    let subject: AudienceIndex.Subject?
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
    /// Users who were forgotten, by row: they have rows still, without a history, and nothing is for them.
    var hidden: [Bool]
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
      subject: nil, k: 0, includesOwners: false, catalogue: live.catalogue, live: live)
    let (queue, deadline) = (queue, deadline)
    Task { try? await queue.submit([job], costs: [1], deadline: deadline) }
  }

  /// The `k` users with the highest scores for an item or a text, best first.
  func audience(
    of subject: AudienceIndex.Subject, k: Int, includesOwners: Bool, in catalogue: Catalogue,
    _ live: LiveState
  ) async throws -> [Member] {
    try await queue.submit(
      [
        Job(
          subject: subject, k: k, includesOwners: includesOwners, catalogue: catalogue, live: live)
      ], costs: [1], deadline: deadline)[0]
  }

  private static func run(_ job: Job, _ known: inout Known?) throws -> [Member] {
    let (catalogue, live) = (job.catalogue, job.live)
    let one = Workers(count: 1)
    var current: Known
    if let found = known, found.model === catalogue.model {
      current = found
      // Held once, so that nothing of it is copied.
      known = nil
      update(&current, live.events.takeChanged(), catalogue, live)
    } else {
      let recommender = catalogue.online.recommender
      current = Known(
        model: catalogue.model, index: try AudienceIndex(catalogue.online, workers: one),
        users: recommender.users,
        hidden: [Bool](repeating: false, count: recommender.users.count))
      _ = live.events.takeChanged()
      let forgotten = current.users.strings.filter { live.events.isForgotten($0) }
      update(&current, live.events.users() + forgotten, catalogue, live)
    }
    defer { known = current }
    guard let subject = job.subject else { return [] }
    return try current.index.audience(
      of: subject, in: catalogue.online, block: catalogue.block, k: job.k,
      includesOwners: job.includesOwners, hidden: current.hidden, workers: one
    ).map { Member(user: current.users[Int($0.user)], score: $0.score) }
  }

  /// Takes newer histories of some users into the index.
  private static func update(
    _ known: inout Known, _ users: [String], _ catalogue: Catalogue, _ live: LiveState
  ) {
    var rows: [(row: Int32, history: UserHistory)] = []
    for user in IDTable(users).strings {
      let row = known.users.insert(user)
      if row == known.hidden.count { known.hidden.append(false) }
      known.hidden[row] = live.events.isForgotten(user) && !live.events.contains(user)
      rows.append(
        (
          Int32(row),
          live.history(of: user, in: catalogue) ?? UserHistory(places: [], features: nil)
        ))
    }
    guard !rows.isEmpty else { return }
    rows.sort { $0.row < $1.row }
    known.index.update(
      rows.map(\.row), histories: rows.map { $0.history.places.sorted() },
      features: rows.map(\.history.features), in: catalogue.online, block: catalogue.block,
      workers: Workers(count: 1))
  }
}
