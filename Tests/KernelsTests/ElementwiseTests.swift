import Kernels
import TestSupport
import Testing

@Suite struct ElementwiseTests {
  private func applied<S>(
    _ x: [S], _ function: (UnsafeMutablePointer<S>, Int) -> Void
  ) -> [S] {
    var y = x
    function(&y, y.count)
    return y
  }

  @Test func agreesWithPyTorch() throws {
    let golden = try KernelGolden.load("functions")
    let z = try golden.array("z")
    let narrow: [(String, [Float])] = [
      ("exp", applied(z.floats) { Elementwise.exp($0, count: $1) }),
      ("sigmoid", applied(z.floats) { Elementwise.sigmoid($0, count: $1) }),
      ("softplus", applied(z.floats) { Elementwise.softplus($0, count: $1) }),
    ]
    for (name, y) in narrow {
      expectClose(y.doubles, try golden.array(name), relative: 1e-6, "\(name) in Float")
    }
    let wide: [(String, [Double])] = [
      ("exp", applied(z) { Elementwise.exp($0, count: $1) }),
      ("sigmoid", applied(z) { Elementwise.sigmoid($0, count: $1) }),
      ("softplus", applied(z) { Elementwise.softplus($0, count: $1) }),
    ]
    for (name, y) in wide {
      expectClose(y, try golden.array(name), relative: 1e-12, "\(name) in Double")
    }
  }

  @Test(arguments: 1...70)
  func floatLoopsAgreeWithDouble(count: Int) {
    let x = randomFloats(count, seed: UInt64(count), scale: 60)
    let positive = x.map { abs($0) + 1e-6 }
    func pair(
      _ name: String, _ x: [Float], _ narrow: (UnsafeMutablePointer<Float>, Int) -> Void,
      _ wide: (UnsafeMutablePointer<Double>, Int) -> Void
    ) {
      expectClose(
        applied(x, narrow).doubles, applied(x.doubles, wide), absolute: 1e-37, relative: 5e-7, name)
    }
    pair(
      "exp", x, { Elementwise.exp($0, count: $1) }, { Elementwise.exp($0, count: $1) })
    pair(
      "log", positive, { Elementwise.log($0, count: $1) }, { Elementwise.log($0, count: $1) })
    pair(
      "sigmoid", x, { Elementwise.sigmoid($0, count: $1) },
      { Elementwise.sigmoid($0, count: $1) })
    pair(
      "softplus", x, { Elementwise.softplus($0, count: $1) },
      { Elementwise.softplus($0, count: $1) })
    let y = randomFloats(count, seed: 9)
    pair(
      "multiply", x, { Elementwise.multiply(into: $0, y, count: $1) },
      { Elementwise.multiply(into: $0, y.doubles, count: $1) })
    pair(
      "scale", x, { Elementwise.scale($0, by: 0.75, count: $1) },
      { Elementwise.scale($0, by: 0.75, count: $1) })
  }

  @Test func edgesOfExp() {
    let y = applied([-.infinity, -1e30, -100, 0, 88.7, 89, 1e30, .infinity, .nan] as [Float]) {
      Elementwise.exp($0, count: $1)
    }
    #expect(Array(y[0..<4]) == [0, 0, 0, 1])
    expectClose(Double(y[4]), 3.3259759e38, relative: 1e-6, "exp(88.7)")
    #expect(Array(y[5..<8]) == [.infinity, .infinity, .infinity])
    #expect(y[8].isNaN)
  }

  @Test func edgesOfLog() {
    let subnormals: [Float] = [0x1p-133, .leastNonzeroMagnitude]
    let x: [Float] = [0, -0.0, .infinity, 1] + subnormals + [-1, -.infinity, .nan]
    let y = applied(x) { Elementwise.log($0, count: $1) }
    #expect(Array(y[0..<4]) == [-.infinity, -.infinity, .infinity, 0])
    expectClose(Double(y[4]), -92.1885750, absolute: 1e-5, "-133 log 2")
    expectClose(Double(y[5]), -103.2789300, absolute: 1e-5, "-149 log 2")
    #expect(y[6...].allSatisfy { $0.isNaN })
  }

  @Test func edgesOfSigmoidAndSoftplus() {
    let x: [Float] = [-.infinity, -1e30, 1e30, .infinity]
    #expect(applied(x) { Elementwise.sigmoid($0, count: $1) } == [0, 0, 1, 1])
    #expect(applied(x) { Elementwise.softplus($0, count: $1) } == [0, 0, 1e30, .infinity])
    #expect(applied([.nan] as [Float]) { Elementwise.softplus($0, count: $1) }[0].isNaN)
  }
}
