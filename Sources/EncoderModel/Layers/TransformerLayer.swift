internal import Kernels

/// One post-LayerNorm Transformer layer (Vaswani and others, 2017; BERT): attention, then feed-forward.
public struct TransformerLayer: Sendable {
  let attention: SelfAttention
  let feedForward: FeedForward
  let width: Int

  init(_ configuration: EncoderConfiguration, layer: Int, in table: inout ParameterTable) {
    attention = SelfAttention(configuration, layer: layer, in: &table)
    feedForward = FeedForward(configuration, layer: layer, in: &table)
    width = configuration.hiddenSize
  }

  struct Saved<S: KernelScalar> {
    let input: UnsafeMutablePointer<S>
    let attention: SelfAttention.Saved<S>
    let hidden: UnsafeMutablePointer<S>
    let feedForward: FeedForward.Saved<S>
  }

  func forward<S: KernelScalar>(
    _ y: UnsafeMutablePointer<S>, x: UnsafeMutablePointer<S>, batch: PackedBatch,
    weights: ParameterStore<S>, adapter: AdapterSlot<S>?, arena: Arena<S>, dropout: DropoutPlan?,
    keep: Bool
  ) -> Saved<S> {
    let hidden: UnsafeMutablePointer<S> = arena.take(batch.tokenCount * width)
    let attentionSaved = attention.forward(
      hidden, x: x, batch: batch, weights: weights, arena: arena, dropout: dropout, keep: keep)
    let feedForwardSaved = feedForward.forward(
      y, x: hidden, rows: batch.tokenCount, weights: weights, adapter: adapter, arena: arena,
      dropout: dropout)
    return Saved(
      input: x, attention: attentionSaved, hidden: hidden, feedForward: feedForwardSaved)
  }

  /// Writes the gradient of the layer's input into `dx`; `dy` is overwritten, `dx` must not alias it.
  func backward<S: KernelScalar>(
    dx: UnsafeMutablePointer<S>, dy: UnsafeMutablePointer<S>, saved: Saved<S>, batch: PackedBatch,
    weights: ParameterStore<S>, gradients: ParameterStore<S>?, adapter: AdapterSlot<S>?,
    arena: Arena<S>, dropout: DropoutPlan?
  ) {
    let mark = arena.mark
    let dHidden: UnsafeMutablePointer<S> = arena.take(batch.tokenCount * width)
    feedForward.backward(
      dx: dHidden, dy: dy, x: saved.hidden, saved: saved.feedForward, rows: batch.tokenCount,
      weights: weights, gradients: gradients, adapter: adapter, arena: arena, dropout: dropout)
    attention.backward(
      dx: dx, dy: dHidden, x: saved.input, saved: saved.attention, batch: batch,
      weights: weights, gradients: gradients, arena: arena, dropout: dropout)
    arena.release(to: mark)
  }

  /// Adds the gradients of the layer's adapter and goes no further; overwrites `dx` and `dy`.
  func backwardAdapter<S: KernelScalar>(
    dx: UnsafeMutablePointer<S>, dy: UnsafeMutablePointer<S>, saved: Saved<S>, batch: PackedBatch,
    weights: ParameterStore<S>, adapter: AdapterSlot<S>?, arena: Arena<S>
  ) {
    feedForward.backwardResidual(
      dSum: dx, dy: dy, saved: saved.feedForward, rows: batch.tokenCount, weights: weights,
      gradients: nil, adapter: adapter, arena: arena)
  }
}
