import Kernels
import TestSupport
import Testing

@Suite struct SoftmaxTests {
  @Test func gradients() {
    let (rows, width) = (3, 6)
    let x = randomVector(rows * width, seed: 1, scale: 2)
    let dy = randomVector(rows * width, seed: 2)
    var (y, dx): ([Double], [Double]) = (zeros(x.count), zeros(x.count))
    Softmax.forward(y: &y, x: x, rows: rows, width: width, scale: 0.7)
    Softmax.backward(dx: &dx, dy: dy, y: y, rows: rows, width: width, scale: 0.7)
    GradientCheck().expect("x", input: x, gradient: dx) {
      Softmax.forward(y: &y, x: $0, rows: rows, width: width, scale: 0.7)
      return GradientCheck.project(y, on: dy)
    }
  }

  @Test(arguments: [0.1, 3, 50, 5000])
  func floatLoopsAgreeWithTwin(scale: Double) {
    for width in 1...70 {
      let x = randomFloats(3 * width, seed: UInt64(width), scale: scale)
      var (y, exact): ([Float], [Double]) = (zeros(x.count), zeros(x.count))
      // A scale that Float represents, so that both see the same exponents.
      Softmax.forward(y: &y, x: x, rows: 3, width: width, scale: 0.125)
      Softmax.forwardTwin(y: &exact, x: x.doubles, rows: 3, width: width, scale: 0.125)
      // Rounding an exponent of magnitude m is a relative error of m * 2^-24.
      let bound = 2e-6 + scale * 0.125 * 1.2e-7
      expectClose(y.doubles, exact, absolute: 1e-7, relative: bound, "width \(width)")
      let dy = randomFloats(x.count, seed: 5)
      var (dx, exactX): ([Float], [Double]) = (zeros(x.count), zeros(x.count))
      Softmax.backward(dx: &dx, dy: dy, y: y, rows: 3, width: width, scale: 0.125)
      Softmax.backwardTwin(
        dx: &exactX, dy: dy.doubles, y: y.doubles, rows: 3, width: width, scale: 0.125)
      expectClose(dx.doubles, exactX, absolute: 1e-7, relative: 2e-6, "dx, width \(width)")
    }
  }

  @Test(arguments: 1...40)
  func maskedAndExtremeLogits(width: Int) {
    var x = [Float](repeating: -.infinity, count: width)
    x[width / 2] = 3e38
    var y: [Float] = zeros(width)
    Softmax.forward(y: &y, x: x, rows: 1, width: width, scale: 1)
    for j in 0..<width { #expect(y[j] == (j == width / 2 ? 1 : 0), "column \(j)") }
    x = [Float](repeating: -3e38, count: width)
    Softmax.forward(y: &y, x: x, rows: 1, width: width, scale: 1)
    for j in 0..<width { expectClose(y[j], 1 / Float(width), relative: 1e-6) }
    x[0] = .nan
    Softmax.forward(y: &y, x: x, rows: 1, width: width, scale: 1)
    #expect(y.allSatisfy { $0.isNaN })
  }

  @Test(arguments: [1, 8, 13, 64])
  func worksInPlaceAndRowByRow(width: Int) {
    let x = randomFloats(4 * width, seed: 3, scale: 9)
    var (y, same): ([Float], [Float]) = (zeros(x.count), x)
    Softmax.forward(y: &y, x: x, rows: 4, width: width, scale: 0.5)
    same.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      Softmax.forward(y: base, x: base, rows: 4, width: width, scale: 0.5)
    }
    #expect(same == y)
    for row in 0..<4 {
      var alone: [Float] = zeros(width)
      let place = row * width..<(row + 1) * width
      Softmax.forward(y: &alone, x: Array(x[place]), rows: 1, width: width, scale: 0.5)
      #expect(alone == Array(y[place]))
    }
    var dx: [Float] = zeros(x.count)
    Softmax.backward(dx: &dx, dy: x, y: y, rows: 4, width: width, scale: 0.5)
    var dy = x
    dy.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      Softmax.backward(dx: base, dy: base, y: y, rows: 4, width: width, scale: 0.5)
    }
    #expect(dy == dx)
  }
}
