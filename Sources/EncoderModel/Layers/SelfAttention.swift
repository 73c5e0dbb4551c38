internal import Kernels

/// Multi-head self-attention with its output projection, residual and LayerNorm: (tokens, H) -> (tokens, H).
public struct SelfAttention: Sendable {
  /// Query, key and value weights stand one after the other in memory, and so do their biases, so
  /// that one product with a (3H, H) matrix computes all three.
  let qkvWeight: TensorHandle
  let qkvBias: TensorHandle
  let outputWeight: TensorHandle
  let outputBias: TensorHandle
  let residual: ResidualNorm
  let configuration: EncoderConfiguration
  let layer: Int

  init(_ configuration: EncoderConfiguration, layer: Int, in table: inout ParameterTable) {
    let width = configuration.hiddenSize
    let scope = "encoder.layer.\(layer).attention"
    let weights = ["query", "key", "value"].map {
      table.declare("\(scope).self.\($0).weight", width, width)
    }
    let biases = ["query", "key", "value"].map { table.declare("\(scope).self.\($0).bias", width) }
    qkvWeight = table.join(weights)
    qkvBias = table.join(biases)
    outputWeight = table.declare("\(scope).output.dense.weight", width, width)
    outputBias = table.declare("\(scope).output.dense.bias", width)
    residual = ResidualNorm(
      bias: outputBias, weight: table.declare("\(scope).output.LayerNorm.weight", width),
      shift: table.declare("\(scope).output.LayerNorm.bias", width), width: width,
      epsilon: configuration.layerNormEpsilon, layer: layer, site: .attentionOutput)
    self.configuration = configuration
    self.layer = layer
  }

  /// The tensors, as the passes ask for them.
  var handles: [TensorHandle] {
    [qkvWeight, qkvBias, outputWeight, outputBias, residual.weight, residual.shift]
  }

  /// The attention itself, before the output projection.
  struct States<S: KernelScalar> {
    let qkv: UnsafeMutablePointer<S>
    let probabilities: UnsafeMutablePointer<S>
    let context: UnsafeMutablePointer<S>
  }

  /// What the backward pass needs.
  struct Saved<S: KernelScalar> {
    let states: States<S>
    let residual: ResidualNorm.Saved<S>
  }

  /// `y` = LayerNorm(x + dropout(attention(x))), with the adapter before the LayerNorm; `keep` false lets sequences share one probability
  /// buffer, which bounds the memory of inference by the longest sequence.
  func forward<S: KernelScalar>(
    _ y: UnsafeMutablePointer<S>, x: UnsafeMutablePointer<S>, batch: PackedBatch,
    weights: ParameterStore<S>, adapter: AdapterSlot<S>?, arena: Arena<S>, dropout: DropoutPlan?,
    keep: Bool
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
    let saved = States<S>(
      qkv: arena.take(rows * 3 * width), probabilities: arena.take(probabilityCount),
      context: arena.take(rows * width))
    let branch: UnsafeMutablePointer<S> = arena.take(rows * width)
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
      attendOneByOne(saved, batch: batch, team: arena.team)
    }
    Linear.forward(
      y: branch, x: saved.context, weight: weights[outputWeight], bias: nil, rows: rows,
      inputs: width, outputs: width, team: arena.team)
    return Saved(
      states: saved,
      residual: residual.forward(
        y, branch: branch, x: x, rows: rows, weights: weights, adapter: adapter, arena: arena,
        dropout: dropout))
  }

  /// The heads of a sequence are shared out over a team.
  private func attendOneByOne<S: KernelScalar>(
    _ saved: States<S>, batch: PackedBatch, team: Team?
  ) {
    let (width, heads, headSize) = (
      configuration.hiddenSize, configuration.headCount, configuration.headSize
    )
    for sequence in 0..<batch.sequenceCount {
      let start = Int(batch.offsets[sequence])
      let length = batch.offsets[sequence + 1] - batch.offsets[sequence]
      nonisolated(unsafe) let (context, probabilities, qkv) = (
        saved.context + start * width, saved.probabilities, saved.qkv + start * 3 * width
      )
      Team.share(heads, among: team) { part in
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: 2) { offsets in
          offsets[0] = 0
          offsets[1] = length
          Attention.forward(
            context: context, probabilities: probabilities, qkv: qkv,
            offsets: UnsafeBufferPointer(offsets), heads: heads, headSize: headSize, dropout: nil,
            part: part)
        }
      }
    }
  }

  /// Writes the gradient of `x` into `dx`, adds those of the weights where `gradients` is given, and
  /// overwrites `dy`.
  ///
  /// Frozen weights cost nothing but the way to `x`; with `descends` false that ends at the projections.
  func backward<S: KernelScalar>(
    dx: UnsafeMutablePointer<S>, dy: UnsafeMutablePointer<S>, x: UnsafeMutablePointer<S>,
    saved: Saved<S>, batch: PackedBatch, weights: ParameterStore<S>,
    gradients: GradientSink<S>?, adapter: AdapterSlot<S>?, arena: Arena<S>,
    dropout: DropoutPlan?, descends: Bool
  ) {
    let (rows, width) = (batch.tokenCount, configuration.hiddenSize)
    residual.backward(
      dx: dx, dy: dy, saved: saved.residual, rows: rows, weights: weights, gradients: gradients,
      adapter: adapter, arena: arena, dropout: dropout)
    let mark = arena.mark
    let dContext = arena.take(rows * width)
    let dQKV = arena.take(rows * 3 * width)
    let scratch = arena.take(
      batch.offsets.withUnsafeBufferPointer { Attention.scratchCount(offsets: $0) })
    Linear.backward(
      dx: dContext, accumulate: false, dWeight: gradients?[outputWeight],
      dBias: gradients?[outputBias], dy: dy, x: saved.states.context,
      weight: weights[outputWeight], rows: rows, inputs: width, outputs: width)
    batch.offsets.withUnsafeBufferPointer { offsets in
      Attention.backward(
        dQKV: dQKV, dContext: dContext, probabilities: saved.states.probabilities,
        qkv: saved.states.qkv, scratch: scratch, offsets: offsets,
        heads: configuration.headCount, headSize: configuration.headSize,
        dropout: dropout?.dropout(.attentionProbabilities, layer: layer))
    }
    Linear.backward(
      dx: descends ? dx : nil, accumulate: true, dWeight: gradients?[qkvWeight],
      dBias: gradients?[qkvBias], dy: dQKV, x: x, weight: weights[qkvWeight], rows: rows,
      inputs: width, outputs: 3 * width)
    arena.release(to: mark)
  }
}
