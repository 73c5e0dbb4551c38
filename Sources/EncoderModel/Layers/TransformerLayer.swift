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

  /// The adapters of a layer's two blocks.
  struct Slots<S: KernelScalar> {
    var attention: AdapterSlot<S>?
    var feedForward: AdapterSlot<S>?
  }

  /// How far down a backward pass has to go in the lowest layer that learns.
  enum Depth {
    /// Through the layer: its input wants a gradient.
    case input
    /// To every weight of the layer, but not to its input.
    case weights
    /// To the adapter behind attention.
    case attentionAdapter
    /// To the adapter behind the feed-forward block.
    case feedForwardAdapter
  }

  /// Without `keep` what it returns holds nothing of use for a backward pass.
  func forward<S: KernelScalar>(
    _ y: UnsafeMutablePointer<S>, x: UnsafeMutablePointer<S>, batch: PackedBatch,
    weights: ParameterStore<S>, adapters: Slots<S>, arena: Arena<S>, dropout: DropoutPlan?,
    keep: Bool
  ) -> Saved<S> {
    let hidden: UnsafeMutablePointer<S> = arena.take(batch.tokenCount * width)
    let mark = arena.mark
    let attentionSaved = attention.forward(
      hidden, x: x, batch: batch, weights: weights, adapter: adapters.attention, arena: arena,
      dropout: dropout, keep: keep)
    if !keep { arena.release(to: mark) }
    let feedForwardSaved = feedForward.forward(
      y, x: hidden, rows: batch.tokenCount, weights: weights, adapter: adapters.feedForward,
      arena: arena, dropout: dropout, keep: keep)
    return Saved(
      input: x, attention: attentionSaved, hidden: hidden, feedForward: feedForwardSaved)
  }

  /// Writes the gradient of the layer's input into `dx` when `depth` asks for it.
  ///
  /// `dy` is overwritten, `dx` must not alias it; with a lesser depth `dx` holds nothing of use.
  func backward<S: KernelScalar>(
    dx: UnsafeMutablePointer<S>, dy: UnsafeMutablePointer<S>, saved: Saved<S>, batch: PackedBatch,
    weights: ParameterStore<S>, gradients: GradientSink<S>?, adapters: Slots<S>, arena: Arena<S>,
    dropout: DropoutPlan?, depth: Depth
  ) {
    let rows = batch.tokenCount
    if depth == .feedForwardAdapter {
      return feedForward.residual.backward(
        dx: dx, dy: dy, saved: saved.feedForward.residual, rows: rows, weights: weights,
        gradients: gradients, adapter: adapters.feedForward, arena: arena, dropout: dropout,
        descends: false)
    }
    let mark = arena.mark
    let dHidden: UnsafeMutablePointer<S> = arena.take(rows * width)
    feedForward.backward(
      dx: dHidden, dy: dy, x: saved.hidden, saved: saved.feedForward, rows: rows,
      weights: weights, gradients: gradients, adapter: adapters.feedForward, arena: arena,
      dropout: dropout)
    if depth == .attentionAdapter {
      attention.residual.backward(
        dx: dx, dy: dHidden, saved: saved.attention.residual, rows: rows, weights: weights,
        gradients: gradients, adapter: adapters.attention, arena: arena, dropout: dropout,
        descends: false)
    } else {
      attention.backward(
        dx: dx, dy: dHidden, x: saved.input, saved: saved.attention, batch: batch,
        weights: weights, gradients: gradients, adapter: adapters.attention, arena: arena,
        dropout: dropout, descends: depth == .input)
    }
    arena.release(to: mark)
  }
}
