internal import RealModule

/// Multi-head self-attention over packed sequences, without padding (Vaswani et al., 2017).
///
/// The rows of `qkv` are tokens, each `[q | k | v]` with `heads * headSize` columns a part. Sequence
/// s is the rows `offsets[s]..<offsets[s + 1]` and attends to itself only, so it gives the same
/// result in any batch.
public enum Attention {
  /// The number of attention probabilities: the sum of `length^2 * heads` over the sequences.
  public static func probabilityCount(
    offsets: UnsafeBufferPointer<Int32>, heads: Int
  ) -> Int {
    var count = 0
    for s in 0..<max(offsets.count - 1, 0) {
      let length = Int(offsets[s + 1] - offsets[s])
      count += length * length * heads
    }
    return count
  }

  /// The number of scratch elements that the backward pass needs.
  ///
  /// It is the square of the longest sequence's length.
  public static func scratchCount(offsets: UnsafeBufferPointer<Int32>) -> Int {
    var longest = 0
    for s in 0..<max(offsets.count - 1, 0) {
      longest = max(longest, Int(offsets[s + 1] - offsets[s]))
    }
    return longest * longest
  }

  /// `context = dropout(softmax(q k^T / sqrt(headSize))) v` for every sequence and head.
  ///
  /// `context` is (rows, heads * headSize). `probabilities` receives, sequence by sequence and head
  /// by head, the (length, length) softmax before dropout, for the backward pass. `part` names the
  /// heads that are computed, all by default; each writes its own places.
  public static func forward<S: KernelScalar>(
    context: UnsafeMutablePointer<S>, probabilities: UnsafeMutablePointer<S>,
    qkv: UnsafePointer<S>, offsets: UnsafeBufferPointer<Int32>, heads: Int, headSize: Int,
    dropout: Dropout?, part: Range<Int>? = nil
  ) {
    let masked = dropout.map { $0.rate > 0 } ?? false
    let scratchSize = masked ? scratchCount(offsets: offsets) : 0
    withUnsafeTemporaryAllocation(of: S.self, capacity: scratchSize) { scratch in
      Heads(offsets: offsets, heads: heads, headSize: headSize).forEach(in: part) { head in
        let p = probabilities + head.probability
        let length = head.length
        S.gemm(
          transposeA: false, transposeB: true, m: length, n: length, k: headSize, alpha: 1,
          a: qkv + head.q, lda: head.stride, b: qkv + head.k, ldb: head.stride, beta: 0, c: p,
          ldc: length)
        Softmax.forward(y: p, x: p, rows: length, width: length, scale: head.scale())
        var weights = p
        if let dropout, let base = scratch.baseAddress, masked {
          base.update(from: p, count: length * length)
          dropout.apply(base, count: length * length, first: head.probability)
          weights = base
        }
        S.gemm(
          transposeA: false, transposeB: false, m: length, n: headSize, k: length, alpha: 1,
          a: weights, lda: length, b: qkv + head.v, ldb: head.stride, beta: 0,
          c: context + head.context, ldc: head.contextStride)
      }
    }
  }

  /// The gradient of the packed queries, keys and values; overwrites `dQKV`.
  ///
  /// `dQKV` is shaped like `qkv`, `dContext` like `context`; `probabilities` and `dropout` are those
  /// of the forward pass. `scratch` holds ``scratchCount(offsets:)`` elements.
  public static func backward<S: KernelScalar>(
    dQKV: UnsafeMutablePointer<S>, dContext: UnsafePointer<S>, probabilities: UnsafePointer<S>,
    qkv: UnsafePointer<S>, scratch: UnsafeMutablePointer<S>, offsets: UnsafeBufferPointer<Int32>,
    heads: Int, headSize: Int, dropout: Dropout?
  ) {
    Heads(offsets: offsets, heads: heads, headSize: headSize).forEach { head in
      let p = probabilities + head.probability
      let length = head.length
      var weights = p
      if let dropout, dropout.rate > 0 {
        scratch.update(from: p, count: length * length)
        dropout.apply(scratch, count: length * length, first: head.probability)
        weights = UnsafePointer(scratch)
      }
      S.gemm(
        transposeA: true, transposeB: false, m: length, n: headSize, k: length, alpha: 1,
        a: weights, lda: length, b: dContext + head.context, ldb: head.contextStride, beta: 0,
        c: dQKV + head.v, ldc: head.stride)
      S.gemm(
        transposeA: false, transposeB: true, m: length, n: length, k: headSize, alpha: 1,
        a: dContext + head.context, lda: head.contextStride, b: qkv + head.v, ldb: head.stride,
        beta: 0, c: scratch, ldc: length)
      dropout?.apply(scratch, count: length * length, first: head.probability)
      Softmax.backward(
        dx: scratch, dy: scratch, y: p, rows: length, width: length, scale: head.scale())
      S.gemm(
        transposeA: false, transposeB: false, m: length, n: headSize, k: length, alpha: 1,
        a: scratch, lda: length, b: qkv + head.k, ldb: head.stride, beta: 0, c: dQKV + head.q,
        ldc: head.stride)
      S.gemm(
        transposeA: true, transposeB: false, m: length, n: headSize, k: length, alpha: 1,
        a: scratch, lda: length, b: qkv + head.q, ldb: head.stride, beta: 0, c: dQKV + head.k,
        ldc: head.stride)
    }
  }
}

/// Walks over the heads of packed sequences in the order in which their probabilities are stored.
private struct Heads {
  let offsets: UnsafeBufferPointer<Int32>
  let heads: Int
  let headSize: Int

  /// Where one head of one sequence begins in each array, in elements.
  struct Place {
    let length: Int
    let headSize: Int
    let stride: Int
    let contextStride: Int
    let q: Int
    let k: Int
    let v: Int
    let context: Int
    let probability: Int

    func scale<S: KernelScalar>() -> S { 1 / S.sqrt(S(headSize)) }
  }

  func forEach(in part: Range<Int>? = nil, _ body: (Place) -> Void) {
    let width = heads * headSize
    var probability = 0
    for s in 0..<max(offsets.count - 1, 0) {
      let start = Int(offsets[s])
      let length = Int(offsets[s + 1]) - start
      guard length > 0 else { continue }
      for head in 0..<heads {
        defer { probability += length * length }
        if let part, !part.contains(head) { continue }
        let q = start * 3 * width + head * headSize
        body(
          Place(
            length: length, headSize: headSize, stride: 3 * width, contextStride: width, q: q,
            k: q + width, v: q + 2 * width, context: start * width + head * headSize,
            probability: probability))
      }
    }
  }
}
