import Kernels

/// Kernels of single numbers, and sums of them.
extension KernelBench {
  /// Bias and activation in one pass, and the way back.
  func activations() -> [KernelFigure] {
    let kinds: [(name: String, kind: ActivationKind)] = [
      ("GELU", .gelu), ("GELU by tanh", .geluTanh), ("ReLU", .relu), ("swish", .swish),
      ("tanh", .tanh),
    ]
    let count = rows * inner
    return kinds.flatMap { name, kind in
      [
        moving("bias + \(name), forward", 3 * count) {
          BiasActivation.forward(
            y: y.pointer, z: z.pointer, bias: UnsafePointer(vector(0)), rows: rows, width: inner,
            kind: kind)
        },
        moving("\(name), backward", 3 * count) {
          BiasActivation.backward(dz: y.pointer, dy: x.read, z: z.read, count: count, kind: kind)
        },
      ]
    }
  }

  /// Functions and arithmetic in place, dropout, and half precision.
  func elements() -> [KernelFigure] {
    let count = rows * inner
    let dropout = Dropout(rate: 0.1, key: 1)
    let halves = UnsafeMutableRawPointer(z.pointer).assumingMemoryBound(to: Float16.self)
    return [
      moving("exp", 2 * count) { Elementwise.exp(x.pointer, count: count) },
      moving("log", 2 * count) { Elementwise.log(x.pointer, count: count) },
      moving("sigmoid", 2 * count) { Elementwise.sigmoid(x.pointer, count: count) },
      moving("softplus", 2 * count) { Elementwise.softplus(x.pointer, count: count) },
      moving("multiply", 3 * count) { Elementwise.multiply(into: y.pointer, x.read, count: count) },
      moving("scale", 2 * count) { Elementwise.scale(x.pointer, by: 0.9, count: count) },
      moving("dropout", 2 * count) { dropout.apply(x.pointer, count: count) },
      moving("single to half precision", 3 * count / 2) {
        HalfPrecision.narrow(halves, x.read, count: count)
      },
      moving("half to single precision", 3 * count / 2) {
        HalfPrecision.widen(y.pointer, UnsafePointer(halves), count: count)
      } preparing: {
        HalfPrecision.narrow(halves, x.read, count: count)
      },
    ]
  }

  /// Sums over buffers and columns.
  func reductions() -> [KernelFigure] {
    let count = rows * inner
    return [
      moving("sum of squares", count) { _ = Reduction.sumOfSquares(x.read, count: count) },
      moving("sums of columns", count) {
        Reduction.columnSums(into: vector(0), x: x.read, rows: rows, columns: inner)
      },
      moving("add", 3 * count) { Reduction.add(into: y.pointer, x.read, count: count) },
      moving("set to 0", count) { Reduction.zero(y.pointer, count: count) },
    ]
  }

  /// One step of the optimizer.
  func optimizer() -> [KernelFigure] {
    let count = rows * width
    return [
      moving("AdamW step", 7 * count) {
        AdamW.step(
          parameters: x.pointer, gradients: y.read, first: z.pointer, second: g.pointer,
          count: count, configuration: AdamWConfiguration(), learningRate: 1e-9, step: 10,
          decay: true, gradientScale: 1)
      }
    ]
  }
}
