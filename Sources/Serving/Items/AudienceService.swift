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

  /// Whose audience.
  enum Subject: Sendable {
    /// An item by its id.
    case item(String)
    /// A text that is no item, with its vectors by a version.
    case text(ItemRecord, OnlineItem, LoadedModel)
  }

  /// The users, best first, and the version that they are of.
  struct Audience: Sendable {
    var members: [Member] = []
    let version: String
  }

  private struct Job: Sendable {
    /// Whose audience; nil makes the index only.
    let subject: Subject?
    let k: Int
    let includesOwners: Bool
    let live: LiveState
  }

  /// The index of one version, with its users' ids by row.
  private struct Known: Sendable {
    let model: LoadedModel
    var index: AudienceIndex
    var users: IDTable
    /// Users who were forgotten, by row: they have rows still, without a history, and nothing is for them.
    var hidden: [Bool]

    init(_ catalogue: Catalogue, workers: Workers) {
      model = catalogue.model
      index = AudienceIndex(catalogue.online, workers: workers)
      users = catalogue.online.recommender.users
      hidden = [Bool](repeating: false, count: users.count)
    }
  }

  private let queue: BatchQueue<Job, Audience>
  private let deadline: Duration

  init(_ options: ServerOptions, metrics: MetricsRegistry) {
    deadline = .seconds(options.deadline)
    let known = Mutex<Known?>(nil)
    let label = MetricsRegistry.labels([("queue", "audience")])
    var observer = BatchQueue<Job, Audience>.Observer()
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
    let job = Job(subject: nil, k: 0, includesOwners: false, live: live)
    let (queue, deadline) = (queue, deadline)
    Task { try? await queue.submit([job], costs: [1], deadline: deadline) }
  }

  /// The `k` users with the highest scores for an item or a text, best first.
  ///
  /// - Throws: ``APIError`` for an item that is gone, and what the queue throws.
  func audience(
    of subject: Subject, k: Int, includesOwners: Bool, _ live: LiveState
  ) async throws -> Audience {
    try await queue.submit(
      [Job(subject: subject, k: k, includesOwners: includesOwners, live: live)], costs: [1],
      deadline: deadline)[0]
  }

  private static func run(_ job: Job, _ known: inout Known?) throws -> Audience {
    let live = job.live
    let one = Workers(count: 1)
    let first = live.catalogue
    var current: Known
    var isNew = false
    if let found = known, found.model === first.model {
      current = found
    } else {
      // Not both at once.
      known = nil
      current = Known(first, workers: one)
      isNew = true
    }
    // Held once, so that nothing of it is copied.
    known = nil
    var changed = live.events.takeChanged()
    if isNew {
      changed += live.events.users() + current.users.strings.filter { live.events.isForgotten($0) }
    }
    // Taken after the users, so that none of their items is missing; what comes later marks them again.
    let newest = live.catalogue
    let catalogue = newest.model === first.model ? newest : first
    update(&current, changed, catalogue, live)
    defer { known = current }
    var audience = Audience(version: catalogue.model.version)
    guard let subject = job.subject else { return audience }
    audience.members = try current.index.audience(
      of: place(of: subject, in: catalogue), in: catalogue.online, block: catalogue.block,
      k: job.k, includesOwners: job.includesOwners, hidden: current.hidden, workers: one
    ).map { Member(user: current.users[Int($0.user)], score: $0.score) }
    return audience
  }

  private static func place(
    of subject: Subject, in catalogue: Catalogue
  ) throws -> AudienceIndex.Subject {
    switch subject {
    case .item(let id): return .item(try catalogue.existing(id))
    case .text(let record, let item, let model):
      // A version that came in between sees the text with its own eyes.
      return .text(
        model === catalogue.model
          ? item : RankingService.represent([record], catalogue.online)[0])
    }
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
