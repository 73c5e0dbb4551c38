internal import Kernels

/// Multi-head self-attention with its output projection, residual and LayerNorm: (tokens, H) -> (tokens, H).
public struct SelfAttention: Sendable {
  /// Query, key and value weights stand one after the other in memory, and so do their biases, so
  /// that one product with a (3H, H) matrix computes all three.
  let qkvWeight: TensorHandle
  let qkvBias: TensorHandle
  let outputWeight: TensorHandle
  let outputBias: TensorHandle
  let normWeight: TensorHandle
  let normBias: TensorHandle
  let configuration: EncoderConfiguration
  let layer: Int

  init(_ configuration: EncoderConfiguration, layer: Int, in table: inout ParameterTable) {
    let width = configuration.hiddenSize
    let scope = "encoder.layer.\(layer).attention"
    let weights = ["query", "key", "value"].map {
      table.declare("\(scope).self.\($0).weight", width, width)
    }
    let biases = ["query", "key", "value"].map { table.declare("\(scope).self.\($0).bias", width) }
    qkvWeight = TensorHandle(offset: weights[0].offset, count: 3 * width * width)
    qkvBias = TensorHandle(offset: biases[0].offset, count: 3 * width)
    outputWeight = table.declare("\(scope).output.dense.weight", width, width)
    outputBias = table.declare("\(scope).output.dense.bias", width)
    normWeight = table.declare("\(scope).output.LayerNorm.weight", width)
    normBias = table.declare("\(scope).output.LayerNorm.bias", width)
    self.configuration = configuration
    self.layer = layer
  }

  struct Saved<S: KernelScalar> {
    let qkv: UnsafeMutablePointer<S>
    let probabilities: UnsafeMutablePointer<S>
    let context: UnsafeMutablePointer<S>
    let sum: UnsafeMutablePointer<S>
    let mean: UnsafeMutablePointer<S>
    let rstd: UnsafeMutablePointer<S>
  }

  /// `y` = LayerNorm(x + dropout(attention(x))); `keep` false lets sequences share one probability
  /// buffer, which bounds the memory of inference by the longest sequence.
  func forward<S: KernelScalar>(
    _ y: UnsafeMutablePointer<S>, x: UnsafeMutablePointer<S>, batch: PackedBatch,
    weights: ParameterStore<S>, arena: Arena<S>, dropout: DropoutPlan?, keep: Bool
  ) -> Saved<S> {
    let (rows, width, heads) = (
      batch.tokenCount, configuration.hiddenSize, configuration.headCount
    )
    let longest = batch.longestSequence
    let probabilityCount =
      keep
      ? batch.offsets.withUnsafeBufferPointer {
        Attention.probabilityCount(offsets: $0, heads: heads)
      } : longest * longest * heads
    let saved = Saved<S>(
      qkv: arena.take(rows * 3 * width), probabilities: arena.take(probabilityCount),
      context: arena.take(rows * width), sum: arena.take(rows * width), mean: arena.take(rows),
      rstd: arena.take(rows))
    Linear.forward(
      y: saved.qkv, x: x, weight: weights[qkvWeight], bias: weights[qkvBias], rows: rows,
      inputs: width, outputs: 3 * width, team: arena.team)
    if keep {
      batch.offsets.withUnsafeBufferPointer { offsets in
        Attention.forward(
          context: saved.context, probabilities: saved.probabilities, qkv: saved.qkv,
          offsets: offsets, heads: heads, headSize: configuration.headSize,
          dropout: dropout?.dropout(.attentionProbabilities, layer: layer))
      }
    } else {
      attendOneByOne(saved, batch: batch)
    }
    let outputDropout = dropout?.dropout(.attentionOutput, layer: layer)
    Linear.forward(
      y: saved.sum, x: saved.context, weight: weights[outputWeight],
      bias: outputDropout == nil ? nil : weights[outputBias], rows: rows, inputs: width,
      outputs: width, team: arena.team)
    outputDropout?.apply(saved.sum, count: rows * width)
    LayerNorm.residualForward(
      y: y, sum: saved.sum, mean: saved.mean, rstd: saved.rstd, x: saved.sum, residual: x,
      xBias: outputDropout == nil ? weights[outputBias] : nil, weight: weights[normWeight],
      bias: weights[normBias], rows: rows, width: width,
      epsilon: S(configuration.layerNormEpsilon))
    return saved
  }

  private func attendOneByOne<S: KernelScalar>(_ saved: Saved<S>, batch: PackedBatch) {
    let width = configuration.hiddenSize
    for sequence in 0..<batch.sequenceCount {
      let start = Int(batch.offsets[sequence])
      let length = batch.offsets[sequence + 1] - batch.offsets[sequence]
      withUnsafeTemporaryAllocation(of: Int32.self, capacity: 2) { offsets in
        offsets[0] = 0
        offsets[1] = length
        Attention.forward(
          context: saved.context + start * width, probabilities: saved.probabilities,
          qkv: saved.qkv + start * 3 * width, offsets: UnsafeBufferPointer(offsets),
          heads: configuration.headCount, headSize: configuration.headSize, dropout: nil)
      }
    }
  }

  /// Writes the gradient of `x` into `dx`, adds those of the weights where `gradients` is given, and
  /// overwrites `dy`.
  ///
  /// Frozen weights cost nothing but the way to `x`.
  func backward<S: KernelScalar>(
    dx: UnsafeMutablePointer<S>, dy: UnsafeMutablePointer<S>, x: UnsafeMutablePointer<S>,
    saved: Saved<S>, batch: PackedBatch, weights: ParameterStore<S>,
    gradients: ParameterStore<S>?, arena: Arena<S>, dropout: DropoutPlan?
  ) {
    let (rows, width) = (batch.tokenCount, configuration.hiddenSize)
    LayerNorm.backward(
      dx: dx, accumulate: false, dWeight: gradients?[normWeight], dBias: gradients?[normBias],
      dy: dy, x: saved.sum, mean: saved.mean, rstd: saved.rstd, weight: weights[normWeight],
      rows: rows, width: width)
    // The residual keeps dx; the projection's branch works on a copy, since dropout scales it.
    dy.update(from: dx, count: rows * width)
    dropout?.dropout(.attentionOutput, layer: layer)?.apply(dy, count: rows * width)
    let mark = arena.mark
    let dContext = arena.take(rows * width)
    let dQKV = arena.take(rows * 3 * width)
    let scratch = arena.take(
      batch.offsets.withUnsafeBufferPointer { Attention.scratchCount(offsets: $0) })
    Linear.backward(
      dx: dContext, accumulate: false, dWeight: gradients?[outputWeight],
      dBias: gradients?[outputBias], dy: dy, x: saved.context, weight: weights[outputWeight],
      rows: rows, inputs: width, outputs: width)
    batch.offsets.withUnsafeBufferPointer { offsets in
      Attention.backward(
        dQKV: dQKV, dContext: dContext, probabilities: saved.probabilities, qkv: saved.qkv,
        scratch: scratch, offsets: offsets, heads: configuration.headCount,
        headSize: configuration.headSize,
        dropout: dropout?.dropout(.attentionProbabilities, layer: layer))
    }
    Linear.backward(
      dx: dx, accumulate: true, dWeight: gradients?[qkvWeight], dBias: gradients?[qkvBias],
      dy: dQKV, x: x, weight: weights[qkvWeight], rows: rows, inputs: width, outputs: 3 * width)
    arena.release(to: mark)
  }
}
