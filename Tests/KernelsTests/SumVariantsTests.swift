import CKernelsVariants
import Kernels
import TestSupport
import Testing

@Suite("Sums, products and selections, as all processors run them")
struct SumVariantsTests {
  @Test(arguments: KernelVariants.lengths)
  func reductions(count: Int) {
    let x = randomFloats(count, seed: 1, scale: 10)
    let squares = KernelVariants.own.sum_of_squares(x, count)
    for (name, kernels) in KernelVariants.others {
      expectClose(
        kernels.sum_of_squares(x, count), squares, relative: 1e-13, "sum of squares, \(name)")
    }
    for rows in [1, 4, 7] {
      let (matrix, start) = (randomFloats(rows * count, seed: 2), randomFloats(count, seed: 3))
      KernelVariants.expectSame("sums of \(rows) rows' columns") { kernels -> [Float] in
        var into = start
        kernels.column_sums(&into, matrix, rows, count)
        return into
      }
    }
  }

  // Whole tiles of every processor, halves of them, single rows and columns.
  @Test(arguments: KernelVariants.lengths)
  func smallProduct(inputs: Int) {
    // Rounding errors of a sum of n random terms grow like its magnitude times the root of n.
    let bound = 4e-6 * Float(inputs).squareRoot()
    for rows in [1, 2, 5, 7, 13] {
      for columns in [1, 3, 4, 9, 37] {
        let (x, w) = (randomFloats(rows * inputs, seed: 1), randomFloats(columns * inputs, seed: 2))
        let bias = randomFloats(columns, seed: 3)
        let stride = columns + 3
        KernelVariants.expectNear("\(rows) x \(columns)", absolute: bound) { kernels in
          var y = [Float](repeating: 5, count: rows * stride)
          if rows.isMultiple(of: 2) {
            kernels.small_product(&y, stride, x, w, nil, rows, columns, inputs)
          } else {
            kernels.small_product(&y, stride, x, w, bias, rows, columns, inputs)
          }
          return y
        }
      }
    }
  }

  @Test("rows of a sparse matrix with every count of entries")
  func sparseLanes() {
    let rows = KernelVariants.lengths
    let offsets = rows.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
    let entries = offsets[rows.count]
    let columns = (0..<entries).map { Int32(($0 &* 7919) % 300) }
    let values = randomFloats(entries, seed: 1)
    let x = randomFloats(300 * SparseLanes.count, seed: 2)
    for lanes in [SparseLanes.few, SparseLanes.count] {
      KernelVariants.expectNear("sparse lanes", absolute: 2e-4, relative: 1e-5) { kernels in
        var y: [Float] = zeros(rows.count * lanes)
        kernels.sparse_lanes(&y, x, offsets, columns, values, rows.count, Int32(lanes))
        return y
      }
    }
  }

  @Test("moments and weighted sums of lanes", arguments: KernelVariants.lengths)
  func lanes(rows: Int) {
    for lanes in [SparseLanes.few, SparseLanes.count] {
      let x = randomFloats(rows * lanes, seed: 1)
      let factors = randomFloats(rows, seed: 2)
      for mask in [nil, factors] {
        KernelVariants.expectNear("moments", absolute: 1e-3, relative: 1e-5) { kernels in
          var (sums, squares): ([Double], [Double]) = (
            [Double](repeating: .nan, count: lanes), [Double](repeating: .nan, count: lanes)
          )
          kernels.lane_moments(&sums, &squares, x, mask, rows, Int32(lanes))
          return (sums + squares).map { Float($0) }
        }
      }
      let (shift, scale) = (randomFloats(lanes, seed: 3), randomFloats(lanes, seed: 4))
      KernelVariants.expectNear("sums", absolute: 1e-5, relative: 1e-5) { kernels in
        var y = randomFloats(rows * lanes, seed: 5)
        kernels.lane_add(&y, x, shift, scale, factors, rows, Int32(lanes))
        return y
      }
    }
  }

  @Test(arguments: KernelVariants.lengths)
  func selections(count: Int) {
    let scores = randomFloats(count, seed: 1)
    func collected(_ kernels: ck_kernels, bound: Float, limit: Int) -> [UInt64] {
      var keys = [UInt64](repeating: 0, count: limit + VectorScan.block)
      var all: [UInt64] = []
      var place = 0
      while place < count {
        var kept = 0
        place = kernels.collect_above(&keys, &kept, limit, scores, place, count, bound, 5)
        all += keys[..<kept]
      }
      return all
    }
    let cases: [(bound: Float, limit: Int)] = [(0.9, 40), (-1, 1), (2, 10)]
    for (bound, limit) in cases {
      KernelVariants.expectSame("above \(bound)") { collected($0, bound: bound, limit: limit) }
    }
    guard count > 1 else { return }
    // All different, in no order.
    let keys = (1...count).map { UInt64($0) &* 0x9E37_79B9_7F4A_7C15 }
    let (least, most) = (max(1, count / 4), max(1, count / 3))
    KernelVariants.expectSame("the largest of \(count)") { kernels -> [UInt64] in
      var kept = keys
      var bound: UInt64 = 0
      let left = kernels.keep_largest(&kept, count, least, most, &bound)
      return Array(kept[..<left]) + [bound]
    }
  }
}
