internal import CKernels

/// The affine map for the rows of one short text, on several threads.
///
/// sgemm first copies the weights into a layout of its own, which for few rows costs more than the
/// product. Here they are read once, where they lie, and the outputs are shared out over the team.
/// A row's result depends neither on its neighbours nor on the team, but its last bits are not
/// sgemm's.
public enum FewRows {
  /// Above so many rows sgemm is faster.
  public static let limit = 64

  /// `y = x * weight^T + bias`, as ``Linear/forward(y:x:weight:bias:rows:inputs:outputs:)``.
  public static func linear<S: KernelScalar>(
    y: UnsafeMutablePointer<S>, x: UnsafePointer<S>, weight: UnsafePointer<S>,
    bias: UnsafePointer<S>?, rows: Int, inputs: Int, outputs: Int, team: Team?
  ) {
    guard S.self == Float.self, rows <= limit else {
      return Linear.forward(
        y: y, x: x, weight: weight, bias: bias, rows: rows, inputs: inputs, outputs: outputs)
    }
    nonisolated(unsafe) let (to, from, matrix) = (y.floats, x.floats, weight.floats)
    nonisolated(unsafe) let shift = bias?.floats
    // A part takes some microseconds, handing it over less than one. Whole tiles of columns are shared out: what is
    // left over beside them is slow.
    let tile = 4
    let isWorthIt = rows * inputs * outputs > 100_000
    Team.share((outputs + tile - 1) / tile, among: isWorthIt ? team : nil) { tiles in
      let first = tiles.lowerBound * tile
      ck_small_product(
        to + first, outputs, from, matrix + first * inputs, shift.map { $0 + first }, rows,
        min(tiles.upperBound * tile, outputs) - first, inputs)
    }
  }
}
