internal import CKernels

/// Looks through scores for the few that matter, at the processor's vector width.
public enum VectorScan {
  /// How many scores are looked at together.
  public static let block = 32

  /// The first multiple of ``block`` from `start` on whose scores include one above `bound`.
  ///
  /// `start` is a multiple of ``block``. Only whole blocks are looked at; `count` when there is none.
  public static func blockAbove(
    _ scores: UnsafePointer<Float>, from start: Int, count: Int, bound: Float
  ) -> Int {
    ck_block_above(scores, start, count, bound)
  }
}
