internal import CKernels

/// Whole arrays between single and half precision.
public enum HalfPrecision {
  /// `y = x` for `count` numbers.
  public static func widen(
    _ y: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float16>, count: Int
  ) {
    ck_widen_half(y, x, count)
  }

  /// `y = x` for `count` numbers, to the nearest half, ties to even; beyond its range infinity.
  public static func narrow(
    _ y: UnsafeMutablePointer<Float16>, _ x: UnsafePointer<Float>, count: Int
  ) {
    ck_narrow_half(y, x, count)
  }
}
