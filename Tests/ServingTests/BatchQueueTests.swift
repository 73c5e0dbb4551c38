import Dispatch
import Serving
import Synchronization
import Testing

@Suite struct BatchQueueTests {
  private struct Failure: Error {}

  private func queue(
    _ observer: BatchQueue<Int, Int>.Observer = BatchQueue<Int, Int>.Observer(),
    _ run: @escaping BatchQueue<Int, Int>.Run
  ) -> BatchQueue<Int, Int> {
    BatchQueue(
      name: "test", threads: 1, limit: 100, budget: 1, batchLimit: 1, observer: observer, run: run)
  }

  @Test(
    "a request that a thread has begun is finished, however long it takes; one behind it expires")
  func deadlines() async throws {
    let queue = queue { _, inputs in
      busy(milliseconds: 20)
      return inputs.map { $0 * 2 }
    }
    defer { queue.close() }
    let long = Task {
      try await queue.submit(
        Array(0..<20), costs: [Int](repeating: 1, count: 20), deadline: .milliseconds(100))
    }
    try await Task.sleep(for: .milliseconds(50))
    await #expect(throws: (any Error).self) {
      try await queue.submit([7], costs: [1], deadline: .milliseconds(50))
    }
    let doubled = try await long.value
    #expect(doubled == (0..<20).map { $0 * 2 })
  }

  @Test("a thread takes its share of what waits and what runs, up to the budget")
  func shares() async throws {
    let sizes = Mutex<[Int]>([])
    let (isBegun, mayEnd) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let queue = BatchQueue<Int, Int>(
      name: "test", threads: 2, limit: 100, budget: 16, batchLimit: 16,
      run: { _, inputs in
        sizes.withLock { $0.append(inputs.count) }
        if inputs[0] < 2 {
          isBegun.signal()
          mayEnd.wait()
        }
        return inputs
      })
    defer { queue.close() }
    // Both threads are at work, with one input each.
    let first = [0, 1].map { n in
      Task { try await queue.submit([n], costs: [1], deadline: .seconds(60)) }
    }
    await blocking {
      isBegun.wait()
      isBegun.wait()
    }
    let rest = Task {
      try await queue.submit(
        Array(2..<12), costs: [Int](repeating: 1, count: 10), deadline: .seconds(60))
    }
    while queue.count < 10 { await Task.yield() }
    // One goes on: six are its share of the ten that wait and the one that runs, then three of five.
    mayEnd.signal()
    _ = try await rest.value
    mayEnd.signal()
    for task in first { _ = try await task.value }
    #expect(sizes.withLock { $0 } == [1, 1, 6, 3, 1])
  }

  @Test("of requests whose clients hung up nothing more is computed")
  func abandoned() async throws {
    let computed = Mutex<[Int]>([])
    let dropped = Mutex(0)
    let (isBegun, mayEnd) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    var observer = BatchQueue<Int, Int>.Observer()
    observer.dropped = { inputs in dropped.withLock { $0 += inputs } }
    let queue = queue(observer) { _, inputs in
      computed.withLock { $0 += inputs }
      if inputs == [1] {
        isBegun.signal()
        mayEnd.wait()
      }
      return inputs
    }
    defer { queue.close() }
    let begun = Task {
      try await queue.submit([1, 2, 3], costs: [1, 1, 1], deadline: .seconds(60))
    }
    await blocking { isBegun.wait() }
    let waiting = Task { try await queue.submit([4, 5], costs: [1, 1], deadline: .seconds(60)) }
    // Cancelled before or after it is queued: either way nobody computes it.
    for task in [begun, waiting] {
      task.cancel()
      await #expect(throws: (any Error).self) { try await task.value }
    }
    mayEnd.signal()
    let last = try await queue.submit([6], costs: [1], deadline: .seconds(60))
    let (inputs, count) = (computed.withLock { $0 }, dropped.withLock { $0 })
    #expect(last == [6] && inputs == [1, 6] && count == 4)
  }

  @Test func anErrorIsTheRequestsOwn() async throws {
    let queue = queue { _, inputs in
      guard inputs != [3] else { throw Failure() }
      return inputs
    }
    defer { queue.close() }
    await #expect(throws: Failure.self) {
      try await queue.submit([1, 2, 3, 4], costs: [1, 1, 1, 1], deadline: .seconds(9))
    }
    let one = try await queue.submit([5], costs: [1], deadline: .seconds(9))
    let none = try await queue.submit([], costs: [], deadline: .seconds(9))
    #expect(one == [5] && none.isEmpty)
  }
}

/// Waits on a thread that nobody else needs.
private func blocking(_ body: @escaping @Sendable () -> Void) async {
  await withCheckedContinuation { continuation in
    DispatchQueue.global().async {
      body()
      continuation.resume()
    }
  }
}

/// Keeps the calling thread for a while.
private func busy(milliseconds: Int) {
  let end = ContinuousClock.now + .milliseconds(milliseconds)
  while ContinuousClock.now < end {}
}
