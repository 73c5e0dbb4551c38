import Kernels

/// How many rows of a product a worker computes at once.
///
/// Fixed, not a share of the rows, so that results don't depend on the number of workers.
let productChunk = 256

extension Workers {
  /// Deals the chunks of `0..<total` to the workers in turn and calls `body(worker, range)` for each.
  ///
  /// Rows that lie together tend to cost alike (sorted ids, triangular matrices), so equal ranges
  /// would leave a worker idle. Who does which chunk depends on the counts alone.
  func runChunks(_ total: Int, chunk: Int, _ body: @Sendable (Int, Range<Int>) -> Void) {
    let count = self.count
    run { worker in
      var start = worker * chunk
      while start < total {
        body(worker, start..<min(start + chunk, total))
        start += count * chunk
      }
    }
  }
}

/// Elements that a computation owns for its duration, uninitialised at first.
///
/// Arrays would be filled with zeros first and can't be shared by workers.
final class ScalarBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
  let pointer: UnsafeMutablePointer<Element>
  let count: Int

  init(_ count: Int) {
    self.count = count
    pointer = .allocate(capacity: max(count, 1))
  }

  deinit { pointer.deallocate() }
}

extension Range<Int> {
  /// Neighbouring parts of at most `limit` elements that differ in length by at most one.
  ///
  /// A last part of a few rows would be multiplied by another path of the BLAS, with other rounding.
  func evenParts(atMost limit: Int) -> [Range<Int>] {
    let parts = (count + limit - 1) / limit
    return (0..<parts).map {
      lowerBound + count * $0 / parts..<lowerBound + count * ($0 + 1) / parts
    }
  }
}
