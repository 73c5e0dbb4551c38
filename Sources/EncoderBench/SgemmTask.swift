import Kernels

/// What the processor's sgemm reaches on the shapes of an encoder's layer, each worker by itself.
///
/// One pass over a layer's products for `batch * length` rows: query-key-value, output, and the two
/// of the feed-forward block, forward and both backward products. This is the 100% of every share.
struct SgemmTask: BenchTask {
  private let workers: Workers
  private let shapes: [(m: Int, n: Int, k: Int, transposeA: Bool, transposeB: Bool)]
  private let memory: [(a: Buffer, b: Buffer, c: Buffer)]

  init(_ request: BenchRequest) {
    workers = Workers(count: request.threads)
    let width = request.hidden ?? 256
    let inner = request.feedForward ?? 4 * width
    let rows = request.length ?? 2048
    var shapes: [(m: Int, n: Int, k: Int, transposeA: Bool, transposeB: Bool)] = []
    for (outputs, inputs) in [(3 * width, width), (width, width), (inner, width), (width, inner)] {
      shapes.append((rows, outputs, inputs, false, true))
      shapes.append((rows, inputs, outputs, false, false))
      shapes.append((outputs, inputs, rows, true, false))
    }
    self.shapes = shapes
    let largest = shapes.reduce(0) { max($0, $1.m * $1.k, $1.k * $1.n, $1.m * $1.n) }
    memory = (0..<workers.count).map { _ in
      (Buffer(largest), Buffer(largest), Buffer(largest))
    }
  }

  func measure() -> BenchAnswer {
    let rounds = 4
    let seconds = Stopwatch.seconds {
      workers.run { worker in
        let (a, b, c) = memory[worker]
        for _ in 0..<rounds {
          for shape in shapes {
            Float.gemm(
              transposeA: shape.transposeA, transposeB: shape.transposeB, m: shape.m, n: shape.n,
              k: shape.k, alpha: 1, a: a.pointer, lda: shape.transposeA ? shape.m : shape.k,
              b: b.pointer, ldb: shape.transposeB ? shape.k : shape.n, beta: 0, c: c.pointer,
              ldc: shape.n)
          }
        }
      }
    }
    let flops = shapes.reduce(0.0) { $0 + 2 * Double($1.m) * Double($1.n) * Double($1.k) }
    let total = flops * Double(rounds * workers.count)
    return BenchAnswer(seconds: seconds, work: total, flops: total)
  }
}
