import Kernels
import TestSupport
import Testing

@Suite struct LinearTests {
  init() { BLAS.useSingleThread() }

  @Test func forwardByHand() {
    let x: [Double] = [1, 2, 3, 4]
    let weight: [Double] = [1, 0, 0, 1, 2, -1]
    var y: [Double] = zeros(6)
    Linear.forward(y: &y, x: x, weight: weight, bias: [10, 20, 30], rows: 2, inputs: 2, outputs: 3)
    #expect(y == [11, 22, 30, 13, 24, 32])
    Linear.forward(y: &y, x: x, weight: weight, bias: nil, rows: 2, inputs: 2, outputs: 3)
    #expect(y == [1, 2, 0, 3, 4, 2])
  }

  @Test func gradients() {
    let (rows, inputs, outputs) = (4, 3, 5)
    let x = randomVector(rows * inputs, seed: 1)
    let weight = randomVector(outputs * inputs, seed: 2)
    let bias = randomVector(outputs, seed: 3)
    let dy = randomVector(rows * outputs, seed: 4)
    var dx: [Double] = zeros(x.count)
    var dWeight: [Double] = zeros(weight.count)
    var dBias: [Double] = zeros(outputs)
    Linear.backward(
      dx: &dx, accumulate: false, dWeight: &dWeight, dBias: &dBias, dy: dy, x: x, weight: weight,
      rows: rows, inputs: inputs, outputs: outputs)
    func loss(_ x: [Double], _ weight: [Double], _ bias: [Double]) -> Double {
      var y: [Double] = zeros(rows * outputs)
      Linear.forward(
        y: &y, x: x, weight: weight, bias: bias, rows: rows, inputs: inputs, outputs: outputs)
      return GradientCheck.project(y, on: dy)
    }
    let check = GradientCheck()
    check.expect("x", input: x, gradient: dx) { loss($0, weight, bias) }
    check.expect("weight", input: weight, gradient: dWeight) { loss(x, $0, bias) }
    check.expect("bias", input: bias, gradient: dBias) { loss(x, weight, $0) }
  }

  @Test func backwardAddsAndSkips() {
    let (x, weight, dy): ([Float], [Float], [Float]) = ([1, 2], [3, 4], [5])
    var dx: [Float] = [100, 100]
    var dWeight: [Float] = [10, 20]
    var dBias: [Float] = [1]
    Linear.backward(
      dx: &dx, accumulate: true, dWeight: &dWeight, dBias: &dBias, dy: dy, x: x, weight: weight,
      rows: 1, inputs: 2, outputs: 1)
    #expect(dx == [115, 120])
    #expect(dWeight == [15, 30])
    #expect(dBias == [6])
    Linear.backward(
      dx: &dx, accumulate: false, dWeight: nil, dBias: nil, dy: dy, x: x, weight: weight, rows: 1,
      inputs: 2, outputs: 1)
    #expect(dx == [15, 20])
    Linear.backward(
      dx: nil, accumulate: false, dWeight: &dWeight, dBias: nil, dy: dy, x: x, weight: weight,
      rows: 1, inputs: 2, outputs: 1)
    #expect(dWeight == [20, 40])
  }

  @Test(arguments: [1, 2, 3, 7, 16, 33, 70])
  func floatAgreesWithDouble(rows: Int) {
    let (inputs, outputs) = (rows + 5, 2 * rows + 1)
    let x = randomFloats(rows * inputs, seed: 5)
    let weight = randomFloats(outputs * inputs, seed: 6)
    let bias = randomFloats(outputs, seed: 7)
    var y: [Float] = zeros(rows * outputs)
    var exact: [Double] = zeros(rows * outputs)
    Linear.forward(
      y: &y, x: x, weight: weight, bias: bias, rows: rows, inputs: inputs, outputs: outputs)
    Linear.forward(
      y: &exact, x: x.doubles, weight: weight.doubles, bias: bias.doubles, rows: rows,
      inputs: inputs, outputs: outputs)
    expectClose(y.doubles, exact, absolute: 4e-6, relative: 1e-6, "\(rows) rows")
  }

  @Test func noRowsIsNothing() {
    var y: [Float] = [7]
    Linear.forward(y: &y, x: [1], weight: [1], bias: [1], rows: 0, inputs: 1, outputs: 1)
    #expect(y == [7])
  }
}
