/// How many rows a matrix product needs so that each row of the result has the same bits in any company.
///
/// OpenBLAS takes another path, with other rounding, for products of at most 100^3 multiplications.
/// Above that its AVX-512 kernels give a row the same bits whatever stands beside it; those for AVX2
/// differ in the last bit or two, and only products of the same rows agree there.
package enum SteadyRows {
  /// The fewest rows for products (rows, inputs) x (inputs, outputs), at most 128.
  package static func fewest(_ inputs: Int, _ outputs: Int) -> Int {
    min(128, 1_000_000 / max(1, inputs * outputs) + 1)
  }
}

extension PackedBatch {
  /// Adds texts of one piece until products of `width` are steady: few texts then have the bits that they
  /// have among many.
  package mutating func fillUp(width: Int) {
    while tokenCount < SteadyRows.fewest(width, width) { append(CollectionOfOne(0)) }
  }
}
