import Kernels
import TestSupport
import Testing

@Suite struct BiasActivationTests {
  @Test(arguments: ActivationKind.allCases)
  func gradients(kind: ActivationKind) {
    // 0 is left out: ReLU has no derivative there.
    let z = randomVector(40, seed: 1, scale: 4).filter { abs($0) > 1e-3 }
    let dy = randomVector(z.count, seed: 2)
    var dz: [Double] = zeros(z.count)
    BiasActivation.backward(dz: &dz, dy: dy, z: z, count: z.count, kind: kind)
    GradientCheck().expect("\(kind)", input: z, gradient: dz) { moved in
      var (y, kept): ([Double], [Double]) = (zeros(z.count), moved)
      BiasActivation.forward(y: &y, z: &kept, bias: nil, rows: 1, width: z.count, kind: kind)
      return GradientCheck.project(y, on: dy)
    }
  }

  @Test(arguments: ["gelu", "geluTanh", "relu", "swish", "tanh"])
  func agreesWithPyTorch(name: String) throws {
    let kind = try #require(ActivationKind.allCases.first { "\($0)" == name })
    let golden = try KernelGolden.load("functions")
    let z = try golden.array("z")
    let (wanted, slope) = try (golden.array(name), golden.array(name + "Slope"))
    var (y, kept): ([Double], [Double]) = (zeros(z.count), z)
    BiasActivation.forward(y: &y, z: &kept, bias: nil, rows: 1, width: z.count, kind: kind)
    expectClose(y, wanted, absolute: 1e-12, "\(name) in Double")
    var dz = [Double](repeating: 1, count: z.count)
    BiasActivation.backward(dz: &dz, dy: dz, z: z, count: z.count, kind: kind)
    expectClose(dz, slope, absolute: 1e-12, "slope of \(name) in Double")

    var (narrow, keptFloat): ([Float], [Float]) = (zeros(z.count), z.floats)
    BiasActivation.forward(
      y: &narrow, z: &keptFloat, bias: nil, rows: 1, width: z.count, kind: kind)
    expectClose(narrow.doubles, wanted, absolute: 1e-7, relative: 1e-6, "\(name) in Float")
    var dzFloat = [Float](repeating: 1, count: z.count)
    let ones = dzFloat
    BiasActivation.backward(dz: &dzFloat, dy: ones, z: z.floats, count: z.count, kind: kind)
    expectClose(dzFloat.doubles, slope, absolute: 3e-7, relative: 1e-6, "slope of \(name) in Float")
  }

  @Test(arguments: ActivationKind.allCases, [0.01, 1, 12, 200])
  func floatLoopsAgreeWithTwin(kind: ActivationKind, scale: Double) {
    for width in 1...70 {
      let z = randomFloats(2 * width, seed: UInt64(width), scale: scale)
      let bias = randomFloats(width, seed: 99, scale: scale / 4)
      var (y, kept): ([Float], [Float]) = (zeros(z.count), z)
      BiasActivation.forward(y: &y, z: &kept, bias: bias, rows: 2, width: width, kind: kind)
      var exact: [Double] = zeros(z.count)
      var same = kept.doubles
      BiasActivation.forwardTwin(
        y: &exact, z: &same, bias: nil, rows: 2, width: width, kind: kind)
      expectClose(y.doubles, exact, absolute: 1e-7, relative: 2e-6, "\(kind), width \(width)")
      #expect(kept == (0..<z.count).map { z[$0] + bias[$0 % width] })

      let dy = randomFloats(z.count, seed: 7)
      var dz: [Float] = zeros(z.count)
      BiasActivation.backward(dz: &dz, dy: dy, z: kept, count: z.count, kind: kind)
      BiasActivation.backwardTwin(
        dz: &exact, dy: dy.doubles, z: kept.doubles, count: z.count, kind: kind)
      expectClose(dz.doubles, exact, absolute: 4e-7, relative: 2e-6, "\(kind)', width \(width)")
    }
  }

  @Test(arguments: ActivationKind.allCases)
  func resultsDoNotDependOnThePosition(kind: ActivationKind) {
    let z = randomFloats(70, seed: 3, scale: 5)
    var (together, kept): ([Float], [Float]) = (zeros(70), z)
    BiasActivation.forward(y: &together, z: &kept, bias: nil, rows: 1, width: 70, kind: kind)
    var alone: [Float] = zeros(70)
    BiasActivation.forward(y: &alone, z: &kept, bias: nil, rows: 70, width: 1, kind: kind)
    #expect(together.map(\.bitPattern) == alone.map(\.bitPattern))
  }

  @Test(arguments: ActivationKind.allCases)
  func worksInPlace(kind: ActivationKind) {
    let z = randomFloats(37, seed: 4, scale: 3)
    var (y, kept): ([Float], [Float]) = (zeros(37), z)
    BiasActivation.forward(y: &y, z: &kept, bias: nil, rows: 1, width: 37, kind: kind)
    var same = z
    same.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      BiasActivation.forward(y: base, z: base, bias: nil, rows: 1, width: 37, kind: kind)
    }
    #expect(same == y)
    var dz: [Float] = zeros(37)
    BiasActivation.backward(dz: &dz, dy: y, z: z, count: 37, kind: kind)
    y.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      BiasActivation.backward(dz: base, dy: base, z: z, count: 37, kind: kind)
    }
    #expect(dz == y)
  }

  @Test func extremesStayFinite() {
    for kind in [ActivationKind.gelu, .geluTanh, .swish, .tanh, .relu] {
      var z: [Float] = [-3e38, -1e5, -100, 100, 1e5, 3e38]
      var y: [Float] = zeros(6)
      BiasActivation.forward(y: &y, z: &z, bias: nil, rows: 1, width: 6, kind: kind)
      let top: [Float] = kind == .tanh ? [1, 1, 1] : [100, 1e5, 3e38]
      #expect(Array(y[3...]) == top, "\(kind)")
      #expect(y[..<3].allSatisfy { kind == .tanh ? $0 == -1 : $0 == 0 }, "\(kind)")
      var unknown: [Float] = [.nan]
      BiasActivation.forward(y: &y, z: &unknown, bias: nil, rows: 1, width: 1, kind: kind)
      #expect(y[0].isNaN, "\(kind)")
    }
  }
}
