import Kernels
import TestSupport
import Testing

@Suite struct L2NormalizeTests {
  @Test func gradients() {
    let (rows, width) = (4, 5)
    var x = randomVector(rows * width, seed: 1)
    // The second row is shorter than epsilon: it is scaled, not normalised.
    for j in width..<2 * width { x[j] *= 0.01 }
    let dy = randomVector(rows * width, seed: 2)
    var (y, norm, dx): ([Double], [Double], [Double]) = (zeros(20), zeros(rows), zeros(20))
    func loss(_ x: [Double]) -> Double {
      L2Normalize.forward(y: &y, norm: &norm, x: x, rows: rows, width: width, epsilon: 0.1)
      return GradientCheck.project(y, on: dy)
    }
    _ = loss(x)
    #expect(norm[1] == 0.1 && norm[0] > 0.1)
    L2Normalize.backward(
      dx: &dx, accumulate: false, dy: dy, y: y, norm: norm, rows: rows, width: width, epsilon: 0.1)
    GradientCheck().expect("x", input: x, gradient: dx, loss: loss)
  }

  @Test func agreesWithPyTorch() throws {
    let golden = try KernelGolden.load("normalize")
    var (y, norm, dx): ([Float], [Float], [Float]) = (zeros(18), zeros(3), zeros(18))
    let dy = try golden.floats("dy")
    L2Normalize.forward(y: &y, norm: &norm, x: try golden.floats("x"), rows: 3, width: 6)
    L2Normalize.backward(dx: &dx, accumulate: false, dy: dy, y: y, norm: norm, rows: 3, width: 6)
    expectClose(y.doubles, try golden.array("y"), absolute: 1e-7, "y")
    // The zero row's gradient is dy / epsilon, which the golden file leaves out.
    for row in [0, 2] {
      let place = row * 6..<(row + 1) * 6
      expectClose(
        Array(dx.doubles[place]), Array(try golden.array("dx")[place]), absolute: 2e-7, "dx")
    }
    #expect(dx[6] == dy[6] / 1e-12)
  }

  @Test func floatLoopsAgreeWithTwin() {
    for width in 1...70 {
      let x = randomFloats(3 * width, seed: UInt64(width), scale: 100)
      let dy = randomFloats(3 * width, seed: 5)
      var (y, norm): ([Float], [Float]) = (zeros(x.count), zeros(3))
      var (exact, exactNorm): ([Double], [Double]) = (zeros(x.count), zeros(3))
      L2Normalize.forward(y: &y, norm: &norm, x: x, rows: 3, width: width)
      L2Normalize.forwardTwin(
        y: &exact, norm: &exactNorm, x: x.doubles, rows: 3, width: width, epsilon: 1e-12)
      expectClose(y.doubles, exact, absolute: 1e-7, relative: 1e-6, "y, width \(width)")
      expectClose(norm.doubles, exactNorm, relative: 1e-6, "norm, width \(width)")
      var dx = [Float](repeating: 2, count: x.count)
      var exactX = [Double](repeating: 2, count: x.count)
      L2Normalize.backward(
        dx: &dx, accumulate: true, dy: dy, y: y, norm: norm, rows: 3, width: width)
      L2Normalize.backwardTwin(
        dx: &exactX, accumulate: true, dy: dy.doubles, y: y.doubles, norm: norm.doubles, rows: 3,
        width: width, epsilon: 1e-12)
      expectClose(dx.doubles, exactX, absolute: 1e-6, relative: 2e-6, "dx, width \(width)")
    }
  }

  @Test func worksInPlace() {
    let x = randomFloats(34, seed: 3)
    var (y, norm): ([Float], [Float]) = (zeros(34), zeros(2))
    L2Normalize.forward(y: &y, norm: &norm, x: x, rows: 2, width: 17)
    var same = x
    same.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      L2Normalize.forward(y: base, norm: &norm, x: base, rows: 2, width: 17)
    }
    #expect(same == y)
  }
}
