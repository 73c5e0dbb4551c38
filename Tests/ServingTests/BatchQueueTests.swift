import Serving
import Testing

@Suite struct BatchQueueTests {
  private struct Failure: Error {}

  private func queue(_ run: @escaping BatchQueue<Int, Int>.Run) -> BatchQueue<Int, Int> {
    BatchQueue(name: "test", threads: 1, limit: 100, budget: 1, batchLimit: 1, run: run)
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

/// Keeps the calling thread for a while.
private func busy(milliseconds: Int) {
  let end = ContinuousClock.now + .milliseconds(milliseconds)
  while ContinuousClock.now < end {}
}
