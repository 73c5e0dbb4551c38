import Kernels

/// InfoNCE between the pooled vectors of two crops of a text: each must find its partner among those of the other texts of
/// the micro-batch, by cosine, in both directions.
///
/// van den Oord et al. 2018, "Representation Learning with Contrastive Predictive Coding"; crops of a text as positives as in
/// Izacard et al. 2022, "Unsupervised Dense Information Retrieval with Contrastive Learning".
package struct CropContrast: Sendable {
  /// What cosines are divided by.
  package var temperature: Double

  /// Creates the loss.
  package init(temperature: Double = 0.05) { self.temperature = temperature }

  /// Cross-entropy summed over pairs, the mean of both directions, in nats; and how many first crops find their partner.
  ///
  /// `pooled` is (sequences, width); pair p is of the rows `pairs[p]` and `pairs[p] + 1`. With `dPooled` adds their gradients,
  /// scaled by `gradientScale`.
  package func run<S: KernelScalar>(
    pooled: UnsafePointer<S>, pairs: [Int32], width: Int, dPooled: UnsafeMutablePointer<S>?,
    gradientScale: S, arena: Arena<S>
  ) -> (loss: Double, correct: Int) {
    let count = pairs.count
    guard count > 0 else { return (0, 0) }
    let mark = arena.mark
    defer { arena.release(to: mark) }
    let scale = S(1 / temperature)
    // Rows 0..<count are the first crops, the others their partners.
    let rows: UnsafeMutablePointer<S> = arena.take(2 * count * width)
    let norms: UnsafeMutablePointer<S> = arena.take(2 * count)
    for (pair, row) in pairs.enumerated() {
      (rows + pair * width).update(from: pooled + Int(row) * width, count: width)
      (rows + (count + pair) * width).update(from: pooled + (Int(row) + 1) * width, count: width)
    }
    L2Normalize.forward(y: rows, norm: norms, x: rows, rows: 2 * count, width: width)
    let (first, second) = (rows, rows + count * width)
    let slopes: UnsafeMutablePointer<S> = arena.take(2 * count * width)
    slopes.update(repeating: 0, count: 2 * count * width)
    let logits: UnsafeMutablePointer<S> = arena.take(count * count)
    let targets = (0..<Int32(count)).map { $0 }
    var loss = 0.0
    var correct = 0
    for isForward in [true, false] {
      let (asking, asked) = isForward ? (first, second) : (second, first)
      S.gemm(
        transposeA: false, transposeB: true, m: count, n: count, k: width, alpha: scale, a: asking,
        lda: width, b: asked, ldb: width, beta: 0, c: logits, ldc: count)
      let outcome = targets.withUnsafeBufferPointer { targets in
        targets.baseAddress.map {
          SoftmaxCrossEntropy.forwardBackward(
            logits: logits, targets: $0, rows: count, classes: count,
            gradientScale: dPooled == nil ? nil : gradientScale / 2)
        } ?? (loss: 0, correct: 0)
      }
      loss += outcome.loss / 2
      if isForward { correct = outcome.correct }
      guard dPooled != nil else { continue }
      let (dAsking, dAsked) =
        isForward ? (slopes, slopes + count * width) : (slopes + count * width, slopes)
      S.gemm(
        transposeA: false, transposeB: false, m: count, n: width, k: count, alpha: scale,
        a: logits, lda: count, b: asked, ldb: width, beta: 1, c: dAsking, ldc: width)
      S.gemm(
        transposeA: true, transposeB: false, m: count, n: width, k: count, alpha: scale,
        a: logits, lda: count, b: asking, ldb: width, beta: 1, c: dAsked, ldc: width)
    }
    if let dPooled {
      L2Normalize.backward(
        dx: slopes, accumulate: false, dy: slopes, y: rows, norm: norms, rows: 2 * count,
        width: width)
      for (pair, row) in pairs.enumerated() {
        S.axpy(width, 1, slopes + pair * width, dPooled + Int(row) * width)
        S.axpy(width, 1, slopes + (count + pair) * width, dPooled + (Int(row) + 1) * width)
      }
    }
    return (loss, correct)
  }
}
