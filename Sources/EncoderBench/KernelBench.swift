import Kernels

/// The measurements of ``KernelsCommand``, on one core but for ``sharing()``.
///
/// The kinds of kernels stand in extensions, a file each. Every measurement finds the same numbers
/// in the buffers: what another kernel made of them could be so small that it slows down the next.
struct KernelBench {
  /// Rows (tokens) of a call.
  let rows: Int
  /// The width of the hidden states.
  let width: Int
  let repeats: Int
  /// Matrices of (rows, ``inner``), or what else a kernel takes.
  let x: Buffer
  let y: Buffer
  let z: Buffer
  let g: Buffer
  let h: Buffer
  /// What copying a feed-forward block's matrix reaches, in GB/s read and written.
  private(set) var copy = 0.0
  /// What sgemm reaches on the first product of a feed-forward block, in GFLOP/s.
  private(set) var sgemm = 0.0
  private let small: Buffer

  /// The classes of a vocabulary's head.
  static let classes = 8192

  /// The width within a feed-forward block.
  var inner: Int { 4 * width }

  init(rows: Int, width: Int, repeats: Int) {
    self.rows = rows
    self.width = width
    self.repeats = repeats
    let inner = 4 * width
    let size = max(rows * inner, width * inner, KernelBench.classes * max(512, width))
    (x, y, z, g, h) = (Buffer(size), Buffer(size), Buffer(size), Buffer(size), Buffer(size))
    small = Buffer(6 * max(rows, inner))
    copy = copySpeed()
    sgemm = gigaflops(rows, inner, width) / sgemmSeconds(rows, inner, width, transposeB: true)
  }

  /// One of six vectors of `rows` or ``inner`` numbers, all 0.5.
  func vector(_ index: Int) -> UnsafeMutablePointer<Float> {
    small.pointer + index * max(rows, inner)
  }

  /// A kernel that moves `floats` numbers, read and written: its speed beside that of a copy.
  ///
  /// What `prepare` does before each call isn't timed.
  func moving(
    _ name: String, _ floats: Int, _ body: () -> Void, preparing prepare: (() -> Void)? = nil
  ) -> KernelFigure {
    let speed = 4 * Double(floats) / seconds(body, preparing: prepare) / 1e9
    return KernelFigure(name: name, value: speed, unit: "GB/s", shares: [("copy", speed / copy)])
  }

  /// A kernel that takes `work` GFLOP: its speed beside that of sgemm.
  func computing(
    _ name: String, _ work: Double, _ body: () -> Void, preparing prepare: (() -> Void)? = nil
  ) -> KernelFigure {
    let speed = work / seconds(body, preparing: prepare)
    return KernelFigure(
      name: name, value: speed, unit: "GFLOP/s", shares: [("sgemm", speed / sgemm)])
  }

  /// The least time of a call, each after what `prepare` does: what the machine can do undisturbed.
  func seconds(_ body: () -> Void, preparing prepare: (() -> Void)? = nil) -> Double {
    for buffer in [x, y, z, g, h] { buffer.refill() }
    small.fill(0.5)
    var best = Double.infinity
    for _ in 0..<repeats {
      prepare?()
      best = min(best, Stopwatch.seconds(body))
    }
    return best
  }

  /// The least time of `z = op(x) op(y)`, where `z` is (m, n) and the sum runs over `k`.
  func sgemmSeconds(
    _ m: Int, _ n: Int, _ k: Int, transposeA: Bool = false, transposeB: Bool = false
  ) -> Double {
    seconds {
      Float.gemm(
        transposeA: transposeA, transposeB: transposeB, m: m, n: n, k: k, alpha: 1, a: x.read,
        lda: transposeA ? m : k, b: y.read, ldb: transposeB ? k : n, beta: 0, c: z.pointer, ldc: n)
    }
  }

  /// The work of such a product, in GFLOP.
  func gigaflops(_ m: Int, _ n: Int, _ k: Int) -> Double {
    2e-9 * Double(m) * Double(n) * Double(k)
  }

  private func copySpeed() -> Double {
    let count = rows * inner
    let taken = seconds { y.pointer.update(from: x.read, count: count) }
    return 4 * Double(2 * count) / taken / 1e9
  }
}
