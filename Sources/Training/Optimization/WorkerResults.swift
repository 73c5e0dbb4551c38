import Kernels

extension Workers {
  /// Runs `body` on each worker and returns the results by worker.
  func collect<Result: Sendable>(_ body: @Sendable (Int) -> Result) -> [Result] {
    let results = UnsafeMutableBufferPointer<Result?>.allocate(capacity: count)
    results.initialize(repeating: nil)
    defer {
      results.deinitialize()
      results.deallocate()
    }
    let target = UnsafeSendable(results)
    run { target.value[$0] = body($0) }
    return results.compactMap { $0 }
  }
}

/// Lets a pointer cross into workers that write to places of their own.
struct UnsafeSendable<Value>: @unchecked Sendable {
  let value: Value
  init(_ value: Value) { self.value = value }
}
