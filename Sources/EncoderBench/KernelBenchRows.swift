import Kernels

/// Kernels that look at whole rows.
extension KernelBench {
  /// Layer normalisation and unit length, on rows of the hidden states.
  func normalizations() -> [KernelFigure] {
    let count = rows * width
    let (mean, rstd) = (vector(0), vector(1))
    let (weight, bias) = (UnsafePointer(vector(2)), UnsafePointer(vector(3)))
    func backward(
      _ name: String, _ dWeight: UnsafeMutablePointer<Float>?, _ dBias: UnsafeMutablePointer<Float>?
    ) -> KernelFigure {
      moving(name, 3 * count) {
        LayerNorm.backward(
          dx: y.pointer, accumulate: false, dWeight: dWeight, dBias: dBias, dy: x.read, x: g.read,
          mean: UnsafePointer(mean), rstd: UnsafePointer(rstd), weight: weight, rows: rows,
          width: width)
      }
    }
    return [
      moving("LayerNorm, forward", 2 * count) {
        LayerNorm.forward(
          y: y.pointer, mean: mean, rstd: rstd, x: x.read, weight: weight, bias: bias, rows: rows,
          width: width, epsilon: 1e-12)
      },
      moving("residual + LayerNorm, forward", 4 * count) {
        LayerNorm.residualForward(
          y: y.pointer, sum: z.pointer, mean: mean, rstd: rstd, x: x.read, residual: g.read,
          xBias: bias, weight: weight, bias: bias, rows: rows, width: width, epsilon: 1e-12)
      },
      backward("LayerNorm, backward", vector(4), vector(5)),
      backward("LayerNorm, backward, frozen", nil, nil),
      moving("unit length, forward", 2 * count) {
        L2Normalize.forward(y: y.pointer, norm: mean, x: x.read, rows: rows, width: width)
      },
      moving("unit length, backward", 3 * count) {
        L2Normalize.backward(
          dx: z.pointer, accumulate: false, dy: x.read, y: y.read, norm: UnsafePointer(mean),
          rows: rows, width: width)
      },
    ]
  }

  /// Softmax over rows as short as attention's, and as long as a vocabulary.
  func softmaxes() -> [KernelFigure] {
    let short = rows * width / 128
    let (long, classes) = (256, KernelBench.classes)
    let targets = [Int32](repeating: 7, count: long)
    // Soft targets of 20 classes a row.
    let offsets = (0...long).map { Int32(20 * $0) }
    let columns = (0..<(20 * long)).map { Int32(($0 * 7919) % classes) }
    let weights = [Float](repeating: 0.05, count: 20 * long)
    return [
      moving("softmax of 128, forward", 2 * short * 128) {
        Softmax.forward(y: y.pointer, x: x.read, rows: short, width: 128, scale: 0.125)
      },
      moving("softmax of 128, backward", 3 * short * 128) {
        Softmax.backward(
          dx: z.pointer, dy: x.read, y: y.read, rows: short, width: 128, scale: 0.125)
      },
      moving("cross entropy of \(classes) classes", 3 * long * classes) {
        _ = SoftmaxCrossEntropy.forwardBackward(
          logits: z.pointer, targets: targets, rows: long, classes: classes, gradientScale: 1e-3)
      },
      moving("the same, soft targets", 3 * long * classes) {
        _ = SoftmaxCrossEntropy.forwardBackwardSparse(
          logits: z.pointer, targetOffsets: offsets, targetColumns: columns,
          targetWeights: weights, rows: long, classes: classes, gradientScale: 1e-3)
      },
    ]
  }

  /// Looking up words and positions, and adding their gradients.
  func embeddings() -> [KernelFigure] {
    let count = rows * width
    let ids = (0..<rows).map { Int32(($0 * 7919) % KernelBench.classes) }
    let positions = (0..<rows).map { Int32($0 % 128) }
    return [
      moving("embedding, forward", 4 * count) {
        Embedding.forward(
          y: z.pointer, ids: ids, positions: positions, types: nil, word: x.read, position: y.read,
          type: UnsafePointer(vector(0)), rows: rows, width: width)
      },
      // Rows of both tables are read and written, the gradient is read twice: once for the type.
      moving("embedding, backward", 6 * count) {
        Embedding.backward(
          dWord: x.pointer, dPosition: y.pointer, dType: vector(0), dy: z.read, ids: ids,
          positions: positions, types: nil, rows: rows, width: width)
      },
    ]
  }
}
