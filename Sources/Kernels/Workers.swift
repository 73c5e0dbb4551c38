import Dispatch

/// Runs one closure on several threads and waits for all of them.
public struct Workers: Sendable {
  /// How many threads run at once; at least 1.
  public let count: Int

  /// Creates a set of `count` workers; `nil` takes one for each core of the machine.
  public init(count: Int? = nil) {
    self.count = max(1, count ?? Workers.coreCount)
  }

  /// The number of cores this process may use.
  public static var coreCount: Int { ProcessorCount.active }

  /// Calls `body(worker)` for each worker index in `0..<count`, each on a thread of its own.
  public func run(_ body: @Sendable (Int) -> Void) {
    if count == 1 {
      body(0)
    } else {
      DispatchQueue.concurrentPerform(iterations: count, execute: body)
    }
  }

  /// Splits `0..<total` into one contiguous range a worker (the same split for the same counts) and
  /// calls `body(worker, range)` for the ranges that aren't empty.
  public func runRanges(_ total: Int, _ body: @Sendable (Int, Range<Int>) -> Void) {
    run { worker in
      let range = slice(total, worker)
      if !range.isEmpty { body(worker, range) }
    }
  }

  /// The part of `0..<total` that belongs to `worker`.
  public func slice(_ total: Int, _ worker: Int) -> Range<Int> {
    (total * worker / count)..<(total * (worker + 1) / count)
  }
}
