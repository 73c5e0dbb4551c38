import Kernels

/// The measurements of ``KernelsCommand``.
struct KernelBench {
  let rows: Int
  let width: Int
  let repeats: Int
  private let a: Buffer
  private let b: Buffer
  private let c: Buffer
  private let d: Buffer
  private let small: Buffer
  private var inner: Int { 4 * width }
  private static let classes = 8192

  init(rows: Int, width: Int, repeats: Int) {
    self.rows = rows
    self.width = width
    self.repeats = repeats
    let size = max(rows * 4 * width, rows * 2048, KernelBench.classes * 512)
    (a, b, c, d) = (Buffer(size), Buffer(size), Buffer(size), Buffer(size))
    small = Buffer(8 * max(rows, 4 * width))
    for index in 0..<(8 * max(rows, 4 * width)) { small.pointer[index] = 0.5 }
  }

  private func gigabytes(_ floats: Int, _ body: () -> Void) -> Double {
    4 * Double(floats) / Stopwatch.best(of: repeats, body) / 1e9
  }

  /// Memory moved by a plain copy of a feed-forward block's matrix, in GB/s read and written.
  func copySpeed() -> Double {
    let count = rows * inner
    return gigabytes(2 * count) { b.pointer.update(from: a.pointer, count: count) }
  }

  /// The products of a layer, in GFLOP/s.
  func products() -> [(String, Double)] {
    func gemm(_ name: String, _ m: Int, _ n: Int, _ k: Int, _ ta: Bool, _ tb: Bool) -> (
      String, Double
    ) {
      let seconds = Stopwatch.best(of: repeats) {
        Float.gemm(
          transposeA: ta, transposeB: tb, m: m, n: n, k: k, alpha: 1, a: a.pointer,
          lda: ta ? m : k, b: b.pointer, ldb: tb ? k : n, beta: 0, c: c.pointer, ldc: n)
      }
      return (name, 2 * Double(m) * Double(n) * Double(k) / seconds / 1e9)
    }
    return [
      gemm("sgemm x W^T, \(rows)x\(inner)x\(width)", rows, inner, width, false, true),
      gemm("sgemm dy W, \(rows)x\(width)x\(inner)", rows, width, inner, false, false),
      gemm("sgemm dy^T x, \(inner)x\(width)x\(rows)", inner, width, rows, true, false),
      attention(),
    ]
  }

  /// Attention over sequences of 128 tokens with heads of 64, forward.
  private func attention() -> (String, Double) {
    let offsets = Array(stride(from: Int32(0), through: Int32(rows), by: 128))
    let used = Int(offsets[offsets.count - 1])
    let heads = width / 64
    let seconds = offsets.withUnsafeBufferPointer { offsets in
      Stopwatch.best(of: repeats) {
        Attention.forward(
          context: c.pointer, probabilities: d.pointer, qkv: UnsafePointer(a.pointer),
          offsets: offsets, heads: heads, headSize: 64, dropout: nil)
      }
    }
    return (
      "attention, sequences of 128",
      4 * Double(used) * 128 * Double(width) / seconds / 1e9
    )
  }

  /// The kernels between the products, in GB/s.
  func elementwise() -> [(String, Double)] {
    let (x, y, z, g) = (a.pointer, b.pointer, c.pointer, d.pointer)
    let count = rows * inner
    let narrow = rows * width
    let s = small.pointer
    let (mean, rstd, weight, bias) = (s, s + rows, s + 2 * rows, s + 2 * rows + inner)
    var results: [(String, Double)] = []
    results.append(
      (
        "bias + GELU, forward",
        gigabytes(3 * count) {
          BiasActivation.forward(
            y: y, z: z, bias: UnsafePointer(bias), rows: rows, width: inner, kind: .gelu)
        }
      ))
    results.append(
      (
        "GELU, backward",
        gigabytes(3 * count) {
          BiasActivation.backward(
            dz: y, dy: UnsafePointer(x), z: UnsafePointer(z), count: count, kind: .gelu)
        }
      ))
    results.append(
      (
        "residual + LayerNorm, forward",
        gigabytes(4 * narrow) {
          LayerNorm.residualForward(
            y: y, sum: z, mean: mean, rstd: rstd, x: UnsafePointer(x), residual: UnsafePointer(g),
            xBias: bias, weight: UnsafePointer(weight), bias: UnsafePointer(bias), rows: rows,
            width: width, epsilon: 1e-12)
        }
      ))
    results.append(
      (
        "LayerNorm, backward",
        gigabytes(3 * narrow) {
          LayerNorm.backward(
            dx: y, accumulate: false, dWeight: nil, dBias: nil, dy: UnsafePointer(x),
            x: UnsafePointer(g), mean: UnsafePointer(mean), rstd: UnsafePointer(rstd),
            weight: UnsafePointer(weight), rows: rows, width: width)
        }
      ))
    results.append(
      (
        "softmax, rows of 128",
        gigabytes(2 * narrow) {
          Softmax.forward(
            y: y, x: UnsafePointer(x), rows: narrow / 128, width: 128, scale: Float(0.125))
        }
      ))
    let targets = [Int32](repeating: 7, count: 256)
    results.append(
      (
        "cross entropy of \(KernelBench.classes) classes",
        gigabytes(3 * 256 * KernelBench.classes) {
          _ = targets.withUnsafeBufferPointer { targets in
            targets.baseAddress.map {
              SoftmaxCrossEntropy.forwardBackward(
                logits: z, targets: $0, rows: 256, classes: KernelBench.classes,
                gradientScale: 1e-3)
            }
          }
        }
      ))
    results.append(
      (
        "AdamW step",
        gigabytes(7 * narrow) {
          AdamW.step(
            parameters: x, gradients: UnsafePointer(y), first: z, second: g, count: narrow,
            configuration: AdamWConfiguration(), learningRate: Float(1e-9), step: 10, decay: true,
            gradientScale: 1)
        }
      ))
    return results
  }
}
