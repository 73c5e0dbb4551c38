import Kernels

/// Keeps the k best of a stream of scores; equal scores go to the lower index.
///
/// Scores above the threshold go to a buffer of 2k keys and a few; a full buffer is cut to about its k
/// largest, which raises the threshold. So nearly all scores cost one vectorised comparison, and
/// no order of the input is slow. Indices must come in ascending order. NaN and -infinity are never
/// kept: -infinity marks what may not be recommended.
struct TopKSelector: ~Copyable {
  let k: Int
  private let keys: UnsafeMutablePointer<UInt64>
  private let limit: Int
  private var count = 0
  private var threshold = -Float.infinity

  init(k: Int) {
    self.k = k
    limit = max(2 * k, 16)
    keys = .allocate(capacity: limit + VectorScan.block)
  }

  deinit { keys.deallocate() }

  /// Forgets all scores.
  mutating func reset() {
    count = 0
    threshold = -Float.infinity
  }

  /// Looks at `count` scores that belong to the indices `first`, `first + 1`, ...
  mutating func scan(_ scores: UnsafePointer<Float>, count: Int, first: Int = 0) {
    guard k > 0 else { return }
    var place = 0
    while place < count {
      place = VectorScan.collectAbove(
        scores, from: place, count: count, bound: threshold, first: first, into: keys,
        kept: &self.count, limit: limit)
      if self.count >= limit { shrink(to: k...(k + k / 4)) }
    }
  }

  /// Cuts the buffer to its largest keys: k, or a quarter more, which is found sooner.
  private mutating func shrink(to range: ClosedRange<Int>) {
    guard count > range.upperBound else { return }
    let (kept, bound) = VectorScan.keepLargest(keys, count: count, range: range)
    count = kept
    // At least k keys are above the bound. A later score equal to the bound's has a higher index than all of them.
    threshold = Self.score(bound)
  }

  /// Writes the kept indices and scores, best first, and returns how many there are.
  mutating func finish(
    _ indices: UnsafeMutablePointer<Int32>, _ scores: UnsafeMutablePointer<Float>
  )
    -> Int
  {
    shrink(to: k...k)
    var kept = UnsafeMutableBufferPointer(start: keys, count: count)
    kept.sort(by: >)
    for n in 0..<count {
      indices[n] = Int32(truncatingIfNeeded: ~UInt32(truncatingIfNeeded: keys[n]))
      scores[n] = Self.score(keys[n])
    }
    return count
  }

  /// The score of a key, as ``VectorScan`` makes them.
  @inline(__always)
  private static func score(_ key: UInt64) -> Float {
    let monotone = UInt32(truncatingIfNeeded: key >> 32)
    return Float(bitPattern: monotone >> 31 == 1 ? monotone & 0x7fff_ffff : ~monotone)
  }
}
