import Kernels
import TestSupport
import Testing

@Suite struct LayerNormTests {
  @Test func gradients() {
    let (rows, width) = (3, 7)
    let x = randomVector(rows * width, seed: 1)
    let residual = randomVector(rows * width, seed: 2)
    let xBias = randomVector(width, seed: 3)
    let weight = randomVector(width, seed: 4)
    let bias = randomVector(width, seed: 5)
    let dy = randomVector(rows * width, seed: 6)
    var (y, sum): ([Double], [Double]) = (zeros(x.count), zeros(x.count))
    var (mean, rstd): ([Double], [Double]) = (zeros(rows), zeros(rows))
    func loss(
      _ x: [Double], _ residual: [Double], _ xBias: [Double], _ weight: [Double], _ bias: [Double]
    ) -> Double {
      LayerNorm.residualForward(
        y: &y, sum: &sum, mean: &mean, rstd: &rstd, x: x, residual: residual, xBias: xBias,
        weight: weight, bias: bias, rows: rows, width: width, epsilon: 1e-3)
      return GradientCheck.project(y, on: dy)
    }
    _ = loss(x, residual, xBias, weight, bias)
    var dx: [Double] = zeros(x.count)
    var (dWeight, dBias, dXBias): ([Double], [Double], [Double]) = (
      zeros(width), zeros(width), zeros(width)
    )
    LayerNorm.backward(
      dx: &dx, accumulate: false, dWeight: &dWeight, dBias: &dBias, dy: dy, x: sum, mean: mean,
      rstd: rstd, weight: weight, rows: rows, width: width)
    Reduction.columnSums(into: &dXBias, x: dx, rows: rows, columns: width)
    let check = GradientCheck()
    check.expect("x", input: x, gradient: dx) { loss($0, residual, xBias, weight, bias) }
    check.expect("residual", input: residual, gradient: dx) { loss(x, $0, xBias, weight, bias) }
    check.expect("xBias", input: xBias, gradient: dXBias) { loss(x, residual, $0, weight, bias) }
    check.expect("weight", input: weight, gradient: dWeight) { loss(x, residual, xBias, $0, bias) }
    check.expect("bias", input: bias, gradient: dBias) { loss(x, residual, xBias, weight, $0) }
  }

  @Test func agreesWithPyTorch() throws {
    let golden = try KernelGolden.load("layerNorm")
    try compare(golden, of: Double.self, bound: 1e-11)
    try compare(golden, of: Float.self, bound: 2e-6)
  }

  private func compare<S: KernelScalar>(
    _ golden: [String: [Double]], of: S.Type, bound: Double
  ) throws {
    func input(_ name: String) throws -> [S] { try golden.array(name).map { S($0) } }
    let (x, weight, bias, dy) = try (input("x"), input("weight"), input("bias"), input("dy"))
    var (y, dx): ([S], [S]) = (zeros(30), zeros(30))
    var (mean, rstd): ([S], [S]) = (zeros(3), zeros(3))
    var (dWeight, dBias): ([S], [S]) = (zeros(10), zeros(10))
    LayerNorm.forward(
      y: &y, mean: &mean, rstd: &rstd, x: x, weight: weight, bias: bias, rows: 3, width: 10,
      epsilon: 1e-12)
    LayerNorm.backward(
      dx: &dx, accumulate: false, dWeight: &dWeight, dBias: &dBias, dy: dy, x: x, mean: mean,
      rstd: rstd, weight: weight, rows: 3, width: 10)
    for (name, actual) in [("y", y), ("dx", dx), ("dWeight", dWeight), ("dBias", dBias)] {
      expectClose(
        actual.map { Double($0) }, try golden.array(name), absolute: bound, relative: bound,
        "\(name) in \(S.self)")
    }
  }

  @Test(arguments: [0.01, 1, 1000])
  func floatLoopsAgreeWithTwin(scale: Double) {
    for width in 2...70 {
      let rows = 3
      let seed = UInt64(width)
      let x = randomFloats(rows * width, seed: seed, scale: scale)
      let residual = randomFloats(rows * width, seed: seed + 100, scale: scale)
      let (xBias, weight, bias) = (
        randomFloats(width, seed: 1), randomFloats(width, seed: 2), randomFloats(width, seed: 3)
      )
      var (y, sum, mean, rstd): ([Float], [Float], [Float], [Float]) = (
        zeros(x.count), zeros(x.count), zeros(rows), zeros(rows)
      )
      LayerNorm.residualForward(
        y: &y, sum: &sum, mean: &mean, rstd: &rstd, x: x, residual: residual, xBias: xBias,
        weight: weight, bias: bias, rows: rows, width: width, epsilon: 1e-5)
      var (exact, exactMean, exactRstd): ([Double], [Double], [Double]) = (
        zeros(x.count), zeros(rows), zeros(rows)
      )
      LayerNorm.forwardTwin(
        y: &exact, mean: &exactMean, rstd: &exactRstd, x: sum.doubles, weight: weight.doubles,
        bias: bias.doubles, rows: rows, width: width, epsilon: 1e-5)
      expectClose(y.doubles, exact, absolute: 3e-6, relative: 3e-6, "y, width \(width)")
      #expect(sum == (0..<x.count).map { (x[$0] + xBias[$0 % width]) + residual[$0] })

      // The backward pass alone: both start from the same mean and rstd.
      let dy = randomFloats(x.count, seed: 4)
      var (dx, dWeight, dBias): ([Float], [Float], [Float]) = (
        zeros(x.count), zeros(width), zeros(width)
      )
      LayerNorm.backward(
        dx: &dx, accumulate: false, dWeight: &dWeight, dBias: &dBias, dy: dy, x: sum, mean: mean,
        rstd: rstd, weight: weight, rows: rows, width: width)
      var (exactX, exactWeight, exactBias): ([Double], [Double], [Double]) = (
        zeros(x.count), zeros(width), zeros(width)
      )
      LayerNorm.backwardTwin(
        dx: &exactX, accumulate: false, dWeight: &exactWeight, dBias: &exactBias, dy: dy.doubles,
        x: sum.doubles, mean: mean.doubles, rstd: rstd.doubles, weight: weight.doubles,
        rows: rows, width: width)
      let slope = 4e-6 * Double(rstd.max() ?? 0)
      expectClose(dx.doubles, exactX, absolute: slope, relative: 4e-6, "dx, width \(width)")
      expectClose(dWeight.doubles, exactWeight, absolute: 4e-6, relative: 4e-6, "dWeight")
      expectClose(dBias.doubles, exactBias, absolute: 1e-6, relative: 1e-6, "dBias")
    }
  }

  @Test func accumulatesInPlaceAndSkips() {
    let width = 19
    let (x, dy) = (randomFloats(2 * width, seed: 1), randomFloats(2 * width, seed: 2))
    let weight = randomFloats(width, seed: 3)
    var (y, mean, rstd): ([Float], [Float], [Float]) = (zeros(x.count), zeros(2), zeros(2))
    LayerNorm.forward(
      y: &y, mean: &mean, rstd: &rstd, x: x, weight: weight, bias: weight, rows: 2, width: width,
      epsilon: 1e-12)
    var dx: [Float] = zeros(x.count)
    func backward(_ dx: UnsafeMutablePointer<Float>, _ dy: UnsafePointer<Float>, adding: Bool) {
      LayerNorm.backward(
        dx: dx, accumulate: adding, dWeight: nil, dBias: nil, dy: dy, x: x, mean: mean,
        rstd: rstd, weight: weight, rows: 2, width: width)
    }
    backward(&dx, dy, adding: false)
    var added = [Float](repeating: 5, count: x.count)
    backward(&added, dy, adding: true)
    expectClose(added, dx.map { $0 + 5 }, absolute: 1e-6, "accumulated")
    var same = dy
    same.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      backward(base, base, adding: false)
    }
    #expect(same == dx)
  }

  @Test func aRowDoesNotDependOnItsNeighbours() {
    let (rows, width) = (9, 45)
    let x = randomFloats(rows * width, seed: 8)
    let ones = [Float](repeating: 1, count: width)
    var (y, mean, rstd): ([Float], [Float], [Float]) = (zeros(x.count), zeros(rows), zeros(rows))
    LayerNorm.forward(
      y: &y, mean: &mean, rstd: &rstd, x: x, weight: ones, bias: ones, rows: rows, width: width,
      epsilon: 1e-12)
    for row in 0..<rows {
      let place = row * width..<(row + 1) * width
      var (alone, m, r): ([Float], [Float], [Float]) = (zeros(width), zeros(1), zeros(1))
      LayerNorm.forward(
        y: &alone, mean: &m, rstd: &r, x: Array(x[place]), weight: ones, bias: ones, rows: 1,
        width: width, epsilon: 1e-12)
      #expect(alone == Array(y[place]), "row \(row)")
    }
  }
}
