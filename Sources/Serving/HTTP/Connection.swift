import Synchronization

/// A client's connection, as those see it who answer its requests, one at a time.
package final class Connection: Sendable {
  /// The connection whose requests the task answers.
  @TaskLocal static var current: Connection?

  private struct State {
    var isGone = false
    var isClosed = false
    var work: Task<Void, Never>?
    var waiting: CheckedContinuation<APIResponse?, Never>?
  }

  private let state = Mutex(State())

  /// Creates an open connection.
  package init() {}

  /// Does the work of a request, which is cancelled when the client hangs up; nil as soon as the
  /// connection is closed, whether the work is done or not.
  package func answer(
    _ work: @escaping @Sendable () async -> APIResponse
  ) async -> APIResponse? {
    await withCheckedContinuation { continuation in
      let (isGone, isClosed) = state.withLock { state in
        state.waiting = continuation
        state.work = Task { self.finish(await work()) }
        return (state.isGone, state.isClosed)
      }
      if isGone { end(isClosed: isClosed) }
    }
  }

  private func finish(_ response: APIResponse) {
    let waiting = state.withLock { state in
      let waiting = state.waiting
      state.waiting = nil
      state.work = nil
      return waiting
    }
    waiting?.resume(returning: response)
  }

  /// The client sends nothing more.
  ///
  /// Over TCP somebody who hung up looks like somebody who closed only the sending half. As nginx does,
  /// both are taken for the former: what waits for a thread isn't computed.
  ///
  /// - Parameter isClosed: whether nothing can be sent to it either.
  package func end(isClosed: Bool) {
    let (work, waiting) = state.withLock { state in
      state.isGone = true
      state.isClosed = state.isClosed || isClosed
      let waiting = isClosed ? state.waiting : nil
      if isClosed { state.waiting = nil }
      return (state.work, waiting)
    }
    work?.cancel()
    waiting?.resume(returning: nil)
  }
}
