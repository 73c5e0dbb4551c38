internal import CKernels
import Synchronization

/// Threads that share the products of one short text.
///
/// A text of twenty tokens takes some thirty products of 0.1 milliseconds or less; waking a thread for each
/// costs a third as much again. So the helpers come once, for the whole text, and wait for parts of a product
/// actively. The thread that leads never waits for a helper that hasn't come: it takes parts itself until none is
/// left, and waits only for those that another has begun.
public final class Team: Sendable {
  /// How many threads share the work at most, the leading one with them; at least 1.
  public let count: Int

  /// How many parts of the product at hand nobody has taken yet.
  private let untaken = Atomic<Int>(0)
  /// How many of its parts aren't finished.
  private let unfinished = Atomic<Int>(0)
  private let hasEnded = Atomic<Bool>(false)
  /// Written by the leader while `unfinished` is 0, read by those who took a part.
  nonisolated(unsafe) private var part: (@Sendable (Int) -> Void)?

  /// Looks at the state so many times, and then lets others run between two looks.
  private static let patience = 2_000

  /// A short text has no work for more threads, and those that wait cost the processor's time.
  private static let most = 8

  /// A team of as many threads as there are workers, but no more than 8.
  public init(_ workers: Workers) {
    count = min(workers.count, Team.most)
  }

  /// Runs `body`, during which ``runRanges(_:_:)`` has helpers.
  ///
  /// One call at a time.
  public func together(_ body: () -> Void) {
    guard count > 1 else { return body() }
    hasEnded.store(false, ordering: .relaxed)
    withoutActuallyEscaping(body) { body in
      nonisolated(unsafe) let body = body
      // Index 0 is always begun before the others, so that no helper waits for a leader who can't come.
      Workers(count: count).run { index in
        if index == 0 {
          body()
          hasEnded.store(true, ordering: .releasing)
        } else {
          help()
        }
      }
    }
  }

  /// Splits `0..<total` into ranges and calls `body` for each, on the threads of the team that are there.
  ///
  /// Only for the leader, within ``together(_:)``. Returns when all ranges are done.
  public func runRanges(_ total: Int, _ body: @escaping @Sendable (Range<Int>) -> Void) {
    guard count > 1 else { return body(0..<total) }
    // More parts than threads: who was late takes fewer.
    let parts = min(2 * count, total)
    part = { index in body((total * index / parts)..<(total * (index + 1) / parts)) }
    unfinished.store(parts, ordering: .relaxed)
    untaken.store(parts, ordering: .releasing)
    while takePart() {}
    var looks = 0
    while unfinished.load(ordering: .acquiring) > 0 { wait(&looks) }
  }

  /// Calls `body` for ranges of `0..<total` on a team, or for the whole range where there is none.
  @inline(__always)
  public static func share(
    _ total: Int, among team: Team?, _ body: @escaping @Sendable (Range<Int>) -> Void
  ) {
    if let team { team.runRanges(total, body) } else { body(0..<total) }
  }

  private func help() {
    var looks = 0
    while !hasEnded.load(ordering: .acquiring) {
      if takePart() { looks = 0 } else { wait(&looks) }
    }
  }

  /// Takes a part of the product at hand and does it; false if there is none.
  private func takePart() -> Bool {
    var left = untaken.load(ordering: .relaxed)
    while left > 0 {
      // A part that is taken keeps the leader in runRanges, so `part` stays as it is until it is done.
      let (taken, now) = untaken.compareExchange(
        expected: left, desired: left - 1, ordering: .acquiring)
      if taken {
        part?(left - 1)
        unfinished.subtract(1, ordering: .releasing)
        return true
      }
      left = now
    }
    return false
  }

  private func wait(_ looks: inout Int) {
    looks += 1
    if looks < Team.patience { ck_spin_hint() } else { ck_yield() }
  }
}
