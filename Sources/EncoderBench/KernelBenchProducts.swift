import Kernels

/// Matrix products and what consists of them.
extension KernelBench {
  /// The products of a layer, the affine map around them, and attention.
  func products() -> [KernelFigure] {
    let work = gigaflops(rows, inner, width)
    let (towardsInput, towardsWeight) = (
      sgemmSeconds(rows, width, inner), sgemmSeconds(inner, width, rows, transposeA: true)
    )
    let figures = [
      KernelFigure(
        name: "sgemm x W^T, \(rows)x\(inner)x\(width) (ceiling)", value: sgemm, unit: "GFLOP/s"),
      sgemmFigure("dy W, \(rows)x\(width)x\(inner)", work / towardsInput),
      sgemmFigure("dy^T x, \(inner)x\(width)x\(rows)", work / towardsWeight),
      computing("affine map, forward", work) {
        Linear.forward(
          y: z.pointer, x: x.read, weight: y.read, bias: UnsafePointer(vector(0)), rows: rows,
          inputs: width, outputs: inner)
      },
      computing("affine map, backward", 2 * work) {
        Linear.backward(
          dx: z.pointer, accumulate: false, dWeight: g.pointer, dBias: vector(0), dy: x.read,
          x: y.read, weight: h.read, rows: rows, inputs: width, outputs: inner)
      },
    ]
    return figures + attention()
  }

  /// Attention over sequences of 128 tokens with heads of 64.
  private func attention() -> [KernelFigure] {
    let offsets = Array(stride(from: Int32(0), through: Int32(rows), by: 128))
    let heads = width / 64
    // Two products of a sequence's tokens with each other, for all heads together.
    let work = 2 * gigaflops(Int(offsets[offsets.count - 1]), 128, width)
    let scratch = Buffer(128 * 128)
    return offsets.withUnsafeBufferPointer { offsets in
      [
        computing("attention among 128 tokens, forward", work) {
          Attention.forward(
            context: g.pointer, probabilities: y.pointer, qkv: x.read, offsets: offsets,
            heads: heads, headSize: 64, dropout: nil)
        },
        computing("attention among 128 tokens, backward", 2 * work) {
          Attention.backward(
            dQKV: z.pointer, dContext: g.read, probabilities: y.read, qkv: x.read,
            scratch: scratch.pointer, offsets: offsets, heads: heads, headSize: 64, dropout: nil)
        },
      ]
    }
  }

  /// The affine map of a short text's rows, beside sgemm on the same shape and reading the weights.
  func fewRows() -> [KernelFigure] {
    [1, 8, 27].map { count in
      let work = gigaflops(count, inner, width)
      let taken = seconds {
        FewRows.linear(
          y: z.pointer, x: x.read, weight: y.read, bias: UnsafePointer(vector(0)), rows: count,
          inputs: width, outputs: inner, team: nil)
      }
      let reading = 4 * Double(inner * width) / taken / 1e9
      return KernelFigure(
        name: "few rows, \(count)x\(inner)x\(width)", value: work / taken, unit: "GFLOP/s",
        shares: [
          ("sgemm of as many", sgemmSeconds(count, inner, width, transposeB: true) / taken),
          ("copy by its weights", reading / copy),
        ])
    }
  }

  /// Products with a vector, and those of two.
  func vectors() -> [KernelFigure] {
    let count = rows * inner
    return [
      moving("sgemv, \(rows)x\(inner)", count) {
        Float.gemv(
          transpose: false, rows: rows, columns: inner, alpha: 1, a: x.read, lda: inner, x: y.read,
          beta: 0, y: z.pointer)
      },
      moving("sgemv, \(rows)x\(inner), transposed", count) {
        Float.gemv(
          transpose: true, rows: rows, columns: inner, alpha: 1, a: x.read, lda: inner, x: y.read,
          beta: 0, y: z.pointer)
      },
      moving("sdot", 2 * count) { _ = Float.dot(count, x.read, y.read) },
      moving("saxpy", 3 * count) { Float.axpy(count, 0.5, x.read, y.pointer) },
      // By 1 there would be nothing to do.
      moving("sscal", 2 * count) { Float.scal(count, 0.9, x.pointer) },
    ]
  }

  /// LAPACK's factorisations of a symmetric matrix of ``width`` rows.
  func factorisations() -> [KernelFigure] {
    let n = width
    let cube = 1e-9 * Double(n) * Double(n) * Double(n)
    // Positive definite, with eigenvalues that differ.
    func matrix() {
      for i in 0..<n {
        for j in 0..<n { x.pointer[i * n + j] = (i == j ? 2 : 1) / Float(1 + abs(i - j)) }
      }
    }
    func factor() {
      matrix()
      _ = Float.potrf(n, x.pointer)
    }
    let eigen = seconds {
      _ = Float.syevd(n, x.pointer, y.pointer)
    } preparing: {
      matrix()
    }
    return [
      computing("spotrf, \(n) rows", cube / 3) {
        _ = Float.potrf(n, x.pointer)
      } preparing: {
        matrix()
      },
      computing("spotri, \(n) rows", 2 * cube / 3) {
        _ = Float.potri(n, x.pointer)
      } preparing: {
        factor()
      },
      computing("spotrs, \(n) rows and sides", 2 * cube) {
        _ = Float.potrs(n, count: n, x.read, y.pointer)
      } preparing: {
        factor()
        y.fill(1)
      },
      KernelFigure(name: "ssyevd, \(n) rows", value: 1e3 * eigen, unit: "ms", decimals: 2),
    ]
  }

  private func sgemmFigure(_ shape: String, _ speed: Double) -> KernelFigure {
    KernelFigure(
      name: "sgemm \(shape)", value: speed, unit: "GFLOP/s", shares: [("sgemm", speed / sgemm)])
  }
}
