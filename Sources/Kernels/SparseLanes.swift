internal import CKernels

/// Products of a sparse matrix with sixteen vectors at once, each loaded entry serving all of them.
public enum SparseLanes {
  /// How many vectors go together.
  public static let count = Int(CK_LANES)

  /// y = S x: `x` is (columns, ``count``), `y` (rows, ``count``), S given row by row.
  ///
  /// Every sum runs over the row's entries in their order, so a vector's product doesn't depend on
  /// the others. `columns` must be rows of `x`.
  public static func multiply(
    _ y: UnsafeMutablePointer<Float>, offsets: UnsafePointer<Int>,
    columns: UnsafePointer<Int32>, values: UnsafePointer<Float>, rows: Int,
    x: UnsafePointer<Float>
  ) {
    ck_sparse_lanes(y, x, offsets, columns, values, rows)
  }

  /// Rows beside each other, (vectors, width), to lanes, (width, ``count``); missing lanes are 0.
  public static func interleave(
    _ lanes: UnsafeMutablePointer<Float>, rows: UnsafePointer<Float>, vectors: Int, width: Int
  ) {
    if vectors < count { lanes.update(repeating: 0, count: width * count) }
    // Column blocks that stay in the cache while all rows pass.
    for first in stride(from: 0, to: width, by: 256) {
      for vector in 0..<vectors {
        let row = rows + vector * width
        for place in first..<min(first + 256, width) { lanes[place * count + vector] = row[place] }
      }
    }
  }
}
