import Serving
import Synchronization
import Testing

@Suite struct ConnectionTests {
  private func status(
    of connection: Connection, _ work: @escaping @Sendable () async -> APIResponse
  ) async -> Int? {
    await connection.answer(work)?.status
  }

  @Test func whoHangsUpCancelsTheWork() async {
    let untilCancelled: @Sendable () async -> APIResponse = {
      while !Task.isCancelled { try? await Task.sleep(for: .milliseconds(1)) }
      return APIResponse(status: 499)
    }
    let connection = Connection()
    let first = await status(of: connection) { APIResponse(status: 201) }
    let pending = Task { await status(of: connection, untilCancelled) }
    connection.end(isClosed: false)
    let second = await pending.value
    // What came before the end is begun all the same: it may be a write.
    let third = await status(of: connection, untilCancelled)
    let fourth = await status(of: connection) { APIResponse(status: 200) }
    #expect([first, second, third, fourth] == [201, 499, 499, 200])
  }

  @Test("nobody waits for the work of a closed connection; it goes on by itself")
  func closed() async {
    let connection = Connection()
    let (stream, mayEnd) = AsyncStream<Void>.makeStream()
    let isDone = Mutex(false)
    let work: @Sendable () async -> APIResponse = {
      // A task of its own isn't cancelled.
      await Task { for await _ in stream {} }.value
      isDone.withLock { $0 = true }
      return APIResponse(status: 200)
    }
    let pending = Task { await status(of: connection, work) }
    connection.end(isClosed: true)
    let answer = await pending.value
    let wasDone = isDone.withLock { $0 }
    #expect(answer == nil && !wasDone)
    mayEnd.finish()
    while !isDone.withLock({ $0 }) { try? await Task.sleep(for: .milliseconds(1)) }
  }
}
