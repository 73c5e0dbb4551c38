import Kernels
import Recommendation
import TestSupport
import Testing

@Suite struct ItemsAssemblyTests {
  private let arena = Arena<Float>()
  private let assembly: ItemInputAssembly

  init() {
    BLAS.useSingleThread()
    let matrix = DenseMatrix(
      rowCount: 4, columnCount: 3, values: randomVector(12, seed: 3).map { Float($0) })
    assembly = ItemInputAssembly(
      whitening: Whitening(mean: [0.1, -0.2, 0.3, 0], matrix: matrix), rawWidth: 4,
      featureWidth: 2)
  }

  private func forward(_ raw: [Float], _ features: TestBuffer<Float>) -> [Float] {
    arena.reset()
    let x = arena.take(2 * 9)
    _ = assembly.forward(
      x, raw: TestBuffer(raw).pointer, rows: 2,
      features: { UnsafePointer(features.pointer + $0 * 2) }, arena: arena)
    return Array(UnsafeBufferPointer(start: x, count: 18))
  }

  @Test func inputsByHand() {
    let assembly = ItemInputAssembly(
      whitening: Whitening(
        mean: [1, 0], matrix: DenseMatrix(rowCount: 2, columnCount: 1, values: [2, 5])),
      rawWidth: 2, featureWidth: 1)
    let inputs = assembly.inputs(
      raw: DenseMatrix(rowCount: 2, columnCount: 2, values: [3, 4, 0, -2]),
      features: DenseMatrix(rowCount: 2, columnCount: 1, values: [7, 8]),
      workers: Workers(count: 2))
    // Whitened: (3 - 1) * 2 + 4 * 5 = 24 and -2 - 10 = -12, of length 1 after division.
    let root = Float(2).squareRoot()
    expectClose(
      inputs.values, [0.6 * root, 0.8 * root, 1, 7, 0, -root, -1, 8], absolute: 1e-6)
    expectClose(assembly.whitened(inputs).values, [1, -1], absolute: 1e-6)
  }

  @Test("Batches of rows and rows alone give the same, on any number of workers")
  func blocks() {
    let raw = DenseMatrix(
      rowCount: 1100, columnCount: 4, values: randomVector(4400, seed: 8).map { Float($0) })
    let features = DenseMatrix(
      rowCount: 1100, columnCount: 2, values: randomVector(2200, seed: 9).map { Float($0) })
    let all = assembly.inputs(raw: raw, features: features, workers: Workers(count: 3))
    for row in [0, 511, 512, 800, 1099] as [Int32] {
      let one = assembly.inputs(
        raw: raw.selectingRows([row]), features: features.selectingRows([row]),
        workers: Workers(count: 1))
      expectClose(Array(all.row(Int(row))), one.values, absolute: 1e-5, "row \(row)")
    }
  }

  @Test("The gradient of raw vectors along random directions")
  func backward() {
    let raw = randomVector(8, seed: 1).map { Float($0) }
    let features = TestBuffer<Float>([1, 2, 3, 4])
    let projection = randomVector(18, seed: 2)
    arena.reset()
    let x = arena.take(18)
    let saved = assembly.forward(
      x, raw: TestBuffer(raw).pointer, rows: 2,
      features: { UnsafePointer(features.pointer + $0 * 2) }, arena: arena)
    let dRaw = TestBuffer<Float>(zeros: 8)
    assembly.backward(
      dRaw: dRaw.pointer, dx: TestBuffer(projection.map { Float($0) }).pointer, saved: saved,
      rows: 2, arena: arena)
    for seed in 10..<16 as Range<UInt64> {
      let direction = randomVector(8, seed: seed)
      func loss(_ step: Double) -> Double {
        let moved = zip(raw, direction).map { Float(Double($0) + step * $1) }
        return GradientCheck.project(
          forward(moved, features).map { Double($0) }, on: projection)
      }
      let slope = GradientCheck.project(dRaw.values.map { Double($0) }, on: direction)
      expectClose(
        slope, (loss(1e-2) - loss(-1e-2)) / 2e-2, absolute: 1e-2, relative: 1e-2,
        "direction \(seed)")
    }
  }
}
