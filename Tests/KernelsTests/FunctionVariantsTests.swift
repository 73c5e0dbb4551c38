import CKernelsVariants
import Kernels
import TestSupport
import Testing

@Suite("Kernels of single numbers, as all processors run them")
struct FunctionVariantsTests {
  private typealias Map = (
    ck_kernels, UnsafeMutablePointer<Float>, UnsafePointer<Float>, Int
  ) -> Void
  private typealias Slope = (
    ck_kernels, UnsafeMutablePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, Int
  ) -> Void

  @Test(arguments: KernelVariants.lengths)
  func functions(count: Int) {
    // Far from 0 activations fade into rounding; the others hold their digits everywhere.
    let maps: [(name: String, scale: Double, absolute: Float, run: Map)] = [
      ("GELU", 12, 2e-7, { $0.gelu_forward($1, $2, $3) }),
      ("GELU by tanh", 12, 2e-7, { $0.gelu_tanh_forward($1, $2, $3) }),
      ("swish", 12, 2e-7, { $0.swish_forward($1, $2, $3) }),
      ("tanh", 12, 2e-7, { $0.tanh_forward($1, $2, $3) }),
      ("exp", 60, 0, { $0.exp($1, $2, $3) }),
      ("sigmoid", 60, 0, { $0.sigmoid($1, $2, $3) }),
      ("softplus", 60, 0, { $0.softplus($1, $2, $3) }),
    ]
    for map in maps {
      let x = randomFloats(count, seed: 1, scale: map.scale)
      KernelVariants.expectNear(map.name, absolute: map.absolute, relative: 2e-6) { kernels in
        var y: [Float] = zeros(count)
        map.run(kernels, &y, x, count)
        return y
      }
    }
    let positive = randomFloats(count, seed: 2, scale: 60).map { abs($0) + 1e-6 }
    KernelVariants.expectNear("log", absolute: 1e-7, relative: 2e-6) { kernels in
      var y: [Float] = zeros(count)
      kernels.log(&y, positive, count)
      return y
    }
  }

  @Test(arguments: KernelVariants.lengths)
  func slopes(count: Int) {
    let slopes: [(name: String, run: Slope)] = [
      ("GELU", { $0.gelu_backward($1, $2, $3, $4) }),
      ("GELU by tanh", { $0.gelu_tanh_backward($1, $2, $3, $4) }),
      ("swish", { $0.swish_backward($1, $2, $3, $4) }),
      ("tanh", { $0.tanh_backward($1, $2, $3, $4) }),
    ]
    let (z, dy) = (randomFloats(count, seed: 3, scale: 12), randomFloats(count, seed: 4))
    for slope in slopes {
      KernelVariants.expectNear(slope.name, absolute: 8e-7, relative: 4e-6) { kernels in
        var dz: [Float] = zeros(count)
        slope.run(kernels, &dz, dy, z, count)
        return dz
      }
    }
    KernelVariants.expectSame("ReLU, backward") { kernels -> [Float] in
      var dz: [Float] = zeros(count)
      kernels.relu_backward(&dz, dy, z, count)
      return dz
    }
  }

  @Test(arguments: KernelVariants.lengths)
  func roundedOnce(count: Int) {
    let (x, start) = (randomFloats(count, seed: 5), randomFloats(count, seed: 6))
    func changed(_ label: String, _ run: (ck_kernels, UnsafeMutablePointer<Float>) -> Void) {
      KernelVariants.expectSame(label) { kernels -> [Float] in
        var y = start
        run(kernels, &y)
        return y
      }
    }
    changed("ReLU") { $0.relu_forward($1, x, count) }
    changed("multiply") { $0.multiply($1, x, count) }
    changed("add") { $0.add($1, x, count) }
    changed("scale") { $0.scale($1, 0.7, count) }
    changed("dropout") { $0.dropout($1, count, 77, 0x89AB_CDEF, 0x0123_4567, 0x4000_0000, 1.3) }
    // Beyond the 32 bits of the counter.
    changed("dropout") { $0.dropout($1, count, UInt32.max - 20, 1, 2, 0x8000_0000, 2) }
  }

  @Test(arguments: KernelVariants.lengths)
  func halfPrecision(count: Int) {
    let halves = (0..<count).map { UInt16(truncatingIfNeeded: $0 &* 7919) }
    KernelVariants.expectSame("widen") { kernels -> [Float] in
      var y: [Float] = zeros(count)
      kernels.widen_half(&y, halves, count)
      return y.map { $0.isNaN ? 1e9 : $0 }
    }
    // Halfway between two halves: one below whose last bit is 0, and one above.
    let (down, up): (Float, Float) = (0x1.002p0, 0x1.006p0)
    let ties = randomFloats(count, seed: 7).map { $0 < 0 ? down : up }
    let (large, small) = (
      randomFloats(count, seed: 8, scale: 1e5), randomFloats(count, seed: 9, scale: 1e-6)
    )
    for x in [ties, large, small] {
      KernelVariants.expectSame("narrow") { kernels -> [UInt16] in
        var y = [UInt16](repeating: 0, count: count)
        kernels.narrow_half(&y, x, count)
        return y
      }
    }
  }

  @Test(arguments: KernelVariants.lengths)
  func optimizerSteps(count: Int) {
    let (start, gradients) = (randomFloats(count, seed: 1), randomFloats(count, seed: 2, scale: 3))
    let moments = randomFloats(count, seed: 3)
    KernelVariants.expectNear("AdamW", absolute: 1e-6, relative: 2e-6) { kernels in
      var (parameters, first, second) = (start, moments, moments.map { abs($0) })
      kernels.adamw(
        &parameters, gradients, &first, &second, count, 0.7, 0.9999, 0.1, 0.999, 0.001, 1e-3, 0.5,
        1e-8)
      return parameters + first + second
    }
  }
}
