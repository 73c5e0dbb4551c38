import Foundation

/// A bounded first-in-first-out queue whose threads take several entries at once, up to a budget.
///
/// A request's inputs may end up in several batches, and a batch may hold inputs of several requests.
/// Nobody waits for a batch to fill: a free thread takes what is there, up to its share of all that waits and
/// runs, so that a lone large request runs on all threads, and batches are large where many requests run.
package final class BatchQueue<Input: Sendable, Output: Sendable>: @unchecked Sendable {
  /// What a batch's computation gives: an output for each input, or an error for all.
  package typealias Run = @Sendable (_ worker: Int, _ inputs: [Input]) throws -> [Output]

  /// What the queue reports.
  package struct Observer: Sendable {
    var batch: @Sendable (_ inputs: Int, _ cost: Int, _ seconds: Double) -> Void = { _, _, _ in }
    var waited: @Sendable (_ seconds: Double) -> Void = { _ in }
    /// Inputs that nobody began before their client hung up.
    package var dropped: @Sendable (_ inputs: Int) -> Void = { _ in }

    /// Creates an observer that does nothing.
    package init() {}
  }

  /// A request's outputs, and how long it waited for the first thread that took a part of it.
  package struct Answer: Sendable {
    /// An output for each input.
    package var outputs: [Output]
    /// Seconds.
    package var waited = 0.0
  }

  /// All inputs of one request; guarded by the queue's lock.
  private final class Request: @unchecked Sendable {
    var outputs: [Output?]
    var remaining: Int
    var continuation: CheckedContinuation<Answer, any Error>?
    /// When the first of the inputs was taken: from then on the request can't expire.
    var start: ContinuousClock.Instant?
    /// Whether the client hung up, perhaps before the request was queued.
    var isAbandoned = false
    let arrival = ContinuousClock.now
    let deadline: ContinuousClock.Instant

    init(count: Int, deadline: Duration) {
      outputs = [Output?](repeating: nil, count: count)
      remaining = count
      self.deadline = arrival + deadline
    }
  }

  private struct Entry {
    let input: Input
    let cost: Int
    let place: Int
    let request: Request
  }

  private let condition = NSCondition()
  private var entries: [Entry] = []
  private var head = 0
  private var queuedCost = 0
  private var runningCost = 0
  private var isClosed = false
  private var liveThreads = 0
  /// Cost a second, by which the wait is estimated.
  private var rate = 0.0

  private let threadCount: Int
  private let limit: Int
  private let budget: Int
  private let batchLimit: Int
  private let observer: Observer
  private let run: Run

  /// Starts the threads.
  ///
  /// - Parameters:
  ///   - limit: the most inputs that wait; beyond it ``submit(_:costs:deadline:)`` throws.
  ///   - budget: the largest cost of a batch; an input that costs more is a batch of its own.
  ///   - batchLimit: the most inputs of a batch.
  ///   - isBackground: whether the threads give way to all others.
  package init(
    name: String, threads: Int, limit: Int, budget: Int, batchLimit: Int,
    isBackground: Bool = false, observer: Observer = Observer(), run: @escaping Run
  ) {
    threadCount = threads
    self.limit = limit
    self.budget = budget
    self.batchLimit = batchLimit
    self.observer = observer
    self.run = run
    liveThreads = threads
    for worker in 0..<threads {
      let thread = Thread {
        // On Linux this is the thread's own priority, not the process's.
        if isBackground { _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 15) }
        self.work(worker)
      }
      thread.name = "\(name)-\(worker)"
      thread.stackSize = 8 << 20
      thread.start()
    }
  }

  /// Inputs that wait.
  package var count: Int {
    condition.lock()
    defer { condition.unlock() }
    return entries.count - head
  }

  /// Queues inputs and waits for their outputs.
  ///
  /// A request is taken whole or not at all. One that is larger than the limit is taken by an empty
  /// queue, so that no request is impossible. When the task is cancelled, what no thread has begun of it
  /// leaves the queue.
  ///
  /// - Throws: ``APIError`` when the queue is full, when `deadline` passes before any of the inputs was
  ///   taken, when the task is cancelled, and what the computation throws.
  package func submit(
    _ inputs: [Input], costs: [Int], deadline: Duration
  ) async throws -> [Output] {
    try await answer(inputs, costs: costs, deadline: deadline).outputs
  }

  /// The same, with how long it waited.
  func answer(_ inputs: [Input], costs: [Int], deadline: Duration) async throws -> Answer {
    precondition(inputs.count == costs.count, "\(inputs.count) inputs with \(costs.count) costs")
    if inputs.isEmpty { return Answer(outputs: []) }
    let request = Request(count: inputs.count, deadline: deadline)
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        enqueue(inputs, costs, request, continuation)
      }
    } onCancel: {
      abandon(request)
    }
  }

  private func enqueue(
    _ inputs: [Input], _ costs: [Int], _ request: Request,
    _ continuation: CheckedContinuation<Answer, any Error>
  ) {
    condition.lock()
    guard !request.isAbandoned else {
      condition.unlock()
      observer.dropped(inputs.count)
      continuation.resume(throwing: APIError.hungUp)
      return
    }
    let waiting = entries.count - head
    if isClosed || (waiting > 0 && waiting + inputs.count > limit) {
      let seconds = rate > 0 ? Double(queuedCost) / rate : 1
      let closed = isClosed
      condition.unlock()
      continuation.resume(
        throwing: closed
          ? APIError(kind: .unhealthy, message: "the server is stopping", retryAfter: 5)
          : APIError(
            kind: .overloaded, message: "the queue is full; try again later",
            retryAfter: max(1, Int(seconds.rounded(.up)))))
      return
    }
    request.continuation = continuation
    for place in inputs.indices {
      entries.append(
        Entry(input: inputs[place], cost: costs[place], place: place, request: request))
      queuedCost += costs[place]
    }
    if inputs.count == 1 { condition.signal() } else { condition.broadcast() }
    condition.unlock()
  }

  /// Fails a request whose client hung up, and takes out of the queue what no thread has begun of it.
  private func abandon(_ request: Request) {
    condition.lock()
    request.isAbandoned = true
    let continuation = request.continuation
    request.continuation = nil
    var dropped = 0
    if continuation != nil {
      let waiting = entries[head...]
      let kept = waiting.filter { $0.request !== request }
      dropped = waiting.count - kept.count
      entries = kept
      head = 0
      queuedCost = kept.reduce(0) { $0 + $1.cost }
    }
    condition.unlock()
    if dropped > 0 { observer.dropped(dropped) }
    continuation?.resume(throwing: APIError.hungUp)
  }

  /// Ends the threads once all that waits is done; later requests are turned away.
  ///
  /// - Parameter drains: whether what waits is done first; otherwise it is turned away too, and what a
  ///   thread is doing isn't waited for.
  package func close(drains: Bool = true) {
    condition.lock()
    isClosed = true
    condition.broadcast()
    if drains {
      while liveThreads > 0 { condition.wait() }
      condition.unlock()
      return
    }
    let waiting = entries[head...].compactMap { entry in
      let continuation = entry.request.continuation
      entry.request.continuation = nil
      return continuation
    }
    condition.unlock()
    for continuation in waiting {
      continuation.resume(
        throwing: APIError(kind: .unhealthy, message: "the server is stopping", retryAfter: 5))
    }
  }

  private func work(_ worker: Int) {
    while let batch = take() {
      let start = ContinuousClock.now
      for entry in batch { observer.waited(seconds(start - entry.request.arrival)) }
      let result = Result { try run(worker, batch.map(\.input)) }
      let elapsed = seconds(ContinuousClock.now - start)
      let cost = batch.reduce(0) { $0 + $1.cost }
      observer.batch(batch.count, cost, elapsed)
      finish(batch, result, cost: cost, elapsed: elapsed)
    }
    condition.lock()
    liveThreads -= 1
    condition.broadcast()
    condition.unlock()
  }

  /// The next batch; nil when the queue is closed and empty.
  private func take() -> [Entry]? {
    condition.lock()
    while true {
      let expired = dropExpired()
      let batch = pop()
      if !batch.isEmpty || !expired.isEmpty {
        condition.unlock()
        for continuation in expired {
          continuation.resume(
            throwing: APIError(
              kind: .deadline, message: "the request waited too long", retryAfter: 1))
        }
        if !batch.isEmpty { return batch }
        condition.lock()
        continue
      }
      if isClosed {
        condition.unlock()
        return nil
      }
      condition.wait()
    }
  }

  /// Fails requests at the head whose time is over and of which nothing was taken yet: what is half
  /// computed is worth finishing.
  ///
  /// A request that failed is skipped by ``pop()``.
  private func dropExpired() -> [CheckedContinuation<Answer, any Error>] {
    guard head < entries.count else { return [] }
    let now = ContinuousClock.now
    var expired: [CheckedContinuation<Answer, any Error>] = []
    var place = head
    // Arrival order is deadline order but for routes with another deadline: the head is enough.
    while place < entries.count, entries[place].request.deadline < now {
      if entries[place].request.start == nil,
        let continuation = entries[place].request.continuation
      {
        entries[place].request.continuation = nil
        expired.append(continuation)
      }
      place += 1
    }
    return expired
  }

  private func pop() -> [Entry] {
    // Not less than a sixteenth of the budget: tiny batches leave the matrix kernels idle.
    let share = max((queuedCost + runningCost + threadCount - 1) / threadCount, budget / 16)
    let bound = min(budget, share)
    var batch: [Entry] = []
    var cost = 0
    while head < entries.count, batch.count < batchLimit {
      let entry = entries[head]
      if entry.request.continuation == nil {
        queuedCost -= entry.cost
        head += 1
        continue
      }
      guard batch.isEmpty || cost + entry.cost <= bound else { break }
      if entry.request.start == nil { entry.request.start = .now }
      batch.append(entry)
      cost += entry.cost
      queuedCost -= entry.cost
      head += 1
    }
    runningCost += cost
    if head > 1024, head * 2 > entries.count {
      entries.removeFirst(head)
      head = 0
    }
    return batch
  }

  private func finish(
    _ batch: [Entry], _ result: Result<[Output], any Error>, cost: Int, elapsed: Double
  ) {
    var done: [(CheckedContinuation<Answer, any Error>, Result<Answer, any Error>)] = []
    condition.lock()
    runningCost -= cost
    if elapsed > 0 {
      let measured = Double(cost * threadCount) / elapsed
      rate = rate == 0 ? measured : 0.9 * rate + 0.1 * measured
    }
    for (n, entry) in batch.enumerated() {
      let request = entry.request
      guard let continuation = request.continuation else { continue }
      switch result {
      case .success(let outputs):
        request.outputs[entry.place] = outputs[n]
        request.remaining -= 1
        guard request.remaining == 0 else { continue }
        let waited = request.start.map { seconds($0 - request.arrival) } ?? 0
        done.append(
          (
            continuation,
            .success(Answer(outputs: request.outputs.compactMap { $0 }, waited: waited))
          )
        )
      case .failure(let error): done.append((continuation, .failure(error)))
      }
      request.continuation = nil
    }
    condition.unlock()
    for (continuation, result) in done { continuation.resume(with: result) }
  }

  private func seconds(_ duration: Duration) -> Double { duration.inSeconds }
}

extension Duration {
  /// The length in seconds.
  var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
