internal import CKernels

/// Vectors of several users beside each other, a lane a user, so that each loaded weight serves all of them.
///
/// Element i of lane l stands at i * lanes + l, (elements, lanes). Lanes are ``count`` or ``few``; what is computed
/// of one lane doesn't depend on the others.
public enum SparseLanes {
  /// How many vectors go together.
  public static let count = Int(CK_LANES)
  /// How many of them are enough for few users: they take a quarter of the memory.
  public static let few = Int(CK_FEW_LANES)

  /// y = S x: `x` is (columns, lanes), `y` (rows, lanes), S given row by row.
  ///
  /// Every sum runs over the row's entries in their order. `columns` must be rows of `x`.
  public static func multiply(
    _ y: UnsafeMutablePointer<Float>, offsets: UnsafePointer<Int>,
    columns: UnsafePointer<Int32>, values: UnsafePointer<Float>, rows: Int,
    x: UnsafePointer<Float>, lanes: Int = count
  ) {
    check(lanes)
    ck_sparse_lanes(y, x, offsets, columns, values, rows, Int32(lanes))
  }

  /// Each lane's sum of x * mask over the rows, and the sum of the squares; without a mask all rows count.
  ///
  /// Sums of 256 rows are in Float, of those in Double.
  public static func moments(
    sums: UnsafeMutablePointer<Double>, squares: UnsafeMutablePointer<Double>,
    x: UnsafePointer<Float>, mask: UnsafePointer<Float>?, rows: Int, lanes: Int = count
  ) {
    check(lanes)
    ck_lane_moments(sums, squares, x, mask, rows, Int32(lanes))
  }

  /// y += (x - shift) * scale * coefficient: shift and scale are of a lane, coefficients of a row.
  public static func addStandardized(
    _ y: UnsafeMutablePointer<Float>, x: UnsafePointer<Float>, shift: UnsafePointer<Float>,
    scale: UnsafePointer<Float>, coefficients: UnsafePointer<Float>, rows: Int, lanes: Int = count
  ) {
    check(lanes)
    ck_lane_add(y, x, shift, scale, coefficients, rows, Int32(lanes))
  }

  /// Rows beside each other, (vectors, width), to lanes, (width, lanes); missing lanes are 0.
  public static func interleave(
    _ target: UnsafeMutablePointer<Float>, rows: UnsafePointer<Float>, vectors: Int, width: Int,
    lanes: Int = count
  ) {
    if vectors < lanes { target.update(repeating: 0, count: width * lanes) }
    // Column blocks that stay in the cache while all rows pass.
    for first in stride(from: 0, to: width, by: block) {
      for vector in 0..<vectors {
        let row = rows + vector * width
        for place in first..<min(first + block, width) {
          target[place * lanes + vector] = row[place]
        }
      }
    }
  }

  /// The way back, for the first `vectors` lanes: (width, lanes) to (vectors, width).
  public static func separate(
    _ rows: UnsafeMutablePointer<Float>, lanes source: UnsafePointer<Float>, vectors: Int,
    width: Int, lanes: Int = count
  ) {
    for first in stride(from: 0, to: width, by: block) {
      for vector in 0..<vectors {
        let row = rows + vector * width
        for place in first..<min(first + block, width) {
          row[place] = source[place * lanes + vector]
        }
      }
    }
  }

  private static let block = 256

  private static func check(_ lanes: Int) {
    precondition(lanes == count || lanes == few, "\(lanes) lanes, which are \(count) or \(few)")
  }
}
