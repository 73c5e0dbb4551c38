internal import CKernels

/// Looks through scores for the few that matter, at the processor's vector width.
public enum VectorScan {
  /// By how many keys ``collectAbove(_:_:from:count:bound:first:into:kept:limit:)`` may go beyond its limit.
  public static let block = 32

  /// Adds a key for each score above `bound` to `keys` until there are `limit` or more.
  ///
  /// Keys order like (score, lower index), where `scores[0]` has the index `first`: above, the score's bits made
  /// monotone; below, the inverted index. NaN is never above. `keys` has room for `limit` + ``block``.
  /// Returns the place of the next score to look at, `count` when all are done.
  public static func collectAbove(
    _ scores: UnsafePointer<Float>, from start: Int, count: Int, bound: Float, first: Int,
    into keys: UnsafeMutablePointer<UInt64>, kept: inout Int, limit: Int
  ) -> Int {
    ck_collect_above(
      keys, &kept, limit, scores, start, count, bound, UInt32(truncatingIfNeeded: first))
  }

  /// Keeps the largest of `count` keys, and returns how many, with a bound that they, and no others, are above.
  ///
  /// At least `range.lowerBound` and at most `range.upperBound` keys are kept, both below `count`. The keys differ.
  public static func keepLargest(
    _ keys: UnsafeMutablePointer<UInt64>, count: Int, range: ClosedRange<Int>
  ) -> (kept: Int, bound: UInt64) {
    precondition(range.lowerBound > 0 && range.upperBound < count, "\(range) of \(count) keys")
    var bound: UInt64 = 0
    let kept = ck_keep_largest(keys, count, range.lowerBound, range.upperBound, &bound)
    return (kept, bound)
  }
}
