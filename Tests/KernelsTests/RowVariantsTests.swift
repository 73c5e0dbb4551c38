import CKernelsVariants
import Kernels
import TestSupport
import Testing

@Suite("Kernels of rows, as all processors run them")
struct RowVariantsTests {
  private let rows = 3

  @Test(arguments: KernelVariants.lengths)
  func softmax(width: Int) {
    let x = randomFloats(rows * width, seed: 1, scale: 30)
    let dy = randomFloats(rows * width, seed: 2)
    KernelVariants.expectNear("softmax", absolute: 1e-7, relative: 1e-5) { kernels in
      var y: [Float] = zeros(x.count)
      kernels.softmax_forward(&y, x, rows, width, 0.25)
      return y
    }
    var y: [Float] = zeros(x.count)
    KernelVariants.own.softmax_forward(&y, x, rows, width, 0.25)
    let probabilities = y
    KernelVariants.expectNear("softmax, backward", absolute: 1e-7, relative: 1e-5) { kernels in
      var dx: [Float] = zeros(x.count)
      kernels.softmax_backward(&dx, dy, probabilities, rows, width, 0.25)
      return dx
    }
  }

  @Test(arguments: KernelVariants.lengths)
  func exponentials(count: Int) {
    let x = randomFloats(count, seed: 3, scale: 8)
    KernelVariants.expectSame("maximum") { $0.maximum(x, count) }
    let maximum = x.max() ?? 0
    KernelVariants.expectNear("sum of exponentials", absolute: 1e-7, relative: 1e-5) { kernels in
      var terms: [Float] = zeros(count)
      let stored = kernels.exp_sum(&terms, x, count, maximum)
      return terms + [stored, kernels.exp_sum(nil, x, count, maximum)]
    }
  }

  // A row of no numbers has no mean.
  @Test(arguments: KernelVariants.lengths.dropFirst())
  func layerNorm(width: Int) {
    let (x, residual) = (randomFloats(rows * width, seed: 1), randomFloats(rows * width, seed: 2))
    let (weight, bias) = (randomFloats(width, seed: 3), randomFloats(width, seed: 4))
    KernelVariants.expectNear("LayerNorm", absolute: 1e-5, relative: 1e-5) { kernels in
      var (y, mean, rstd): ([Float], [Float], [Float]) = (zeros(x.count), zeros(rows), zeros(rows))
      kernels.layer_norm_forward(&y, &mean, &rstd, x, weight, bias, rows, width, 1e-5)
      return y + mean + rstd
    }
    func withResidual(_ kernels: ck_kernels, hasBias: Bool) -> (sum: [Float], results: [Float]) {
      var (y, sum): ([Float], [Float]) = (zeros(x.count), zeros(x.count))
      var (mean, rstd): ([Float], [Float]) = (zeros(rows), zeros(rows))
      if hasBias {
        kernels.residual_layer_norm_forward(
          &y, &sum, &mean, &rstd, x, residual, bias, weight, bias, rows, width, 1e-5)
      } else {
        kernels.residual_layer_norm_forward(
          &y, &sum, &mean, &rstd, x, residual, nil, weight, bias, rows, width, 1e-5)
      }
      return (sum, y + mean + rstd)
    }
    for hasBias in [false, true] {
      KernelVariants.expectSame("sum of the residual") { withResidual($0, hasBias: hasBias).sum }
      KernelVariants.expectNear("residual + LayerNorm", absolute: 1e-5, relative: 1e-5) {
        withResidual($0, hasBias: hasBias).results
      }
    }
  }

  @Test(arguments: KernelVariants.lengths.dropFirst())
  func layerNormBackward(width: Int) {
    let (x, dy) = (randomFloats(rows * width, seed: 1), randomFloats(rows * width, seed: 2))
    let weight = randomFloats(width, seed: 3)
    var (y, mean, rstd): ([Float], [Float], [Float]) = (zeros(x.count), zeros(rows), zeros(rows))
    KernelVariants.own.layer_norm_forward(&y, &mean, &rstd, x, weight, weight, rows, width, 1e-5)
    let (means, scales) = (mean, rstd)
    func gradients(_ kernels: ck_kernels, accumulate: Int32) -> (dx: [Float], weights: [Float]) {
      var dx = [Float](repeating: 0.5, count: x.count)
      var (dWeight, dBias): ([Float], [Float]) = (zeros(width), zeros(width))
      kernels.layer_norm_backward(
        &dx, accumulate, &dWeight, &dBias, dy, x, means, scales, weight, rows, width)
      return (dx, dWeight + dBias)
    }
    for accumulate: Int32 in [0, 1] {
      KernelVariants.expectNear(
        "LayerNorm, dx", absolute: 8e-6 * (scales.max() ?? 0), relative: 1e-5
      ) { gradients($0, accumulate: accumulate).dx }
      KernelVariants.expectNear("LayerNorm, weights", absolute: 4e-6, relative: 4e-6) {
        gradients($0, accumulate: accumulate).weights
      }
    }
    // Frozen weights change nothing else.
    KernelVariants.expectNear(
      "LayerNorm, frozen", absolute: 8e-6 * (scales.max() ?? 0), relative: 1e-5
    ) { kernels in
      var dx: [Float] = zeros(x.count)
      kernels.layer_norm_backward(&dx, 0, nil, nil, dy, x, means, scales, weight, rows, width)
      return dx
    }
  }

  @Test(arguments: KernelVariants.lengths)
  func unitLength(width: Int) {
    var x = randomFloats(rows * width, seed: 1)
    // The second row is shorter than epsilon: it is scaled, not normalised.
    for j in width..<2 * width { x[j] *= 1e-3 }
    let (from, dy) = (x, randomFloats(rows * width, seed: 2))
    KernelVariants.expectNear("L2", absolute: 1e-6, relative: 1e-5) { kernels in
      var (y, norm): ([Float], [Float]) = (zeros(from.count), zeros(rows))
      kernels.l2_forward(&y, &norm, from, rows, width, 0.1)
      return y + norm
    }
    var (y, norm): ([Float], [Float]) = (zeros(from.count), zeros(rows))
    KernelVariants.own.l2_forward(&y, &norm, from, rows, width, 0.1)
    let (unit, norms) = (y, norm)
    for accumulate: Int32 in [0, 1] {
      KernelVariants.expectNear("L2, backward", absolute: 2e-5, relative: 1e-5) { kernels in
        var dx = [Float](repeating: 0.5, count: from.count)
        kernels.l2_backward(&dx, accumulate, dy, unit, norms, rows, width, 0.1)
        return dx
      }
    }
  }

  @Test(arguments: KernelVariants.lengths)
  func embedding(width: Int) {
    let (ids, positions, types): ([Int32], [Int32], [Int32]) = ([4, 0, 4], [0, 1, 2], [1, 0, 1])
    let (word, position) = (randomFloats(5 * width, seed: 1), randomFloats(3 * width, seed: 2))
    let type = randomFloats(2 * width, seed: 3)
    KernelVariants.expectSame("embedding") { kernels -> [Float] in
      var y: [Float] = zeros(rows * width)
      kernels.embedding_forward(&y, ids, positions, types, word, position, type, rows, width)
      return y
    }
    KernelVariants.expectSame("embedding of one type") { kernels -> [Float] in
      var y: [Float] = zeros(rows * width)
      kernels.embedding_forward(&y, ids, positions, nil, word, position, type, rows, width)
      return y
    }
  }
}
