public import Kernels

/// A BERT encoder: token ids -> hidden states (tokens, H).
///
/// It holds places in a parameter table, no weights.
/// Numerically transformers' `BertModel` without its pooler: post-LayerNorm, learned positions.
public struct TextEncoder: Sendable {
  /// Sizes and constants.
  public let configuration: EncoderConfiguration
  /// The embedding block.
  public let embeddings: InputEmbeddings
  /// The layers, lowest first.
  public let layers: [TransformerLayer]

  /// Declares all tensors of an encoder in a table, in Hugging Face's order.
  public init(_ configuration: EncoderConfiguration, in table: inout ParameterTable) {
    self.configuration = configuration
    embeddings = InputEmbeddings(configuration, in: &table)
    layers = (0..<configuration.layerCount).map {
      TransformerLayer(configuration, layer: $0, in: &table)
    }
  }

  /// The tensors in groups that the passes differentiate together.
  var gradientGroups: [[TensorHandle]] {
    embeddings.gradientGroups
      + layers.flatMap { ($0.attention.handles + $0.feedForward.handles).map { [$0] } }
  }

  /// The word embedding table's place, which tied heads share.
  public var wordEmbeddings: TensorHandle { embeddings.word }

  /// What a backward pass needs; its memory belongs to the arena of the forward pass.
  public struct Saved<S: KernelScalar> {
    let embeddings: InputEmbeddings.Saved<S>?
    let layers: [TransformerLayer.Saved<S>]
    let firstLayer: Int
    /// The last layer's output, (tokens, H).
    public let output: UnsafeMutablePointer<S>
  }

  /// Runs the whole stack and keeps what ``backward(dOutput:saved:batch:weights:gradients:adapters:adapterGradients:arena:dropout:)`` needs.
  public func forward<S: KernelScalar>(
    _ batch: PackedBatch, weights: ParameterStore<S>, adapters: AdapterStack<S>? = nil,
    arena: Arena<S>, dropout: DropoutPlan?
  ) -> Saved<S> {
    let x: UnsafeMutablePointer<S> = arena.take(batch.tokenCount * configuration.hiddenSize)
    let embedded = embeddings.forward(
      x, batch: batch, weights: adapters?.changed ?? weights, arena: arena, dropout: dropout)
    return forwardLayers(
      from: 0, x: x, batch: batch, weights: weights, adapters: adapters, arena: arena,
      dropout: dropout, embedded: embedded)
  }

  /// Runs the layers from `first` on hidden states that were computed before, (tokens, H).
  public func forward<S: KernelScalar>(
    from first: Int, hidden: UnsafeMutablePointer<S>, batch: PackedBatch,
    weights: ParameterStore<S>, adapters: AdapterStack<S>?, arena: Arena<S>,
    dropout: DropoutPlan?
  ) -> Saved<S> {
    forwardLayers(
      from: first, x: hidden, batch: batch, weights: weights, adapters: adapters, arena: arena,
      dropout: dropout, embedded: nil)
  }

  private func forwardLayers<S: KernelScalar>(
    from first: Int, x: UnsafeMutablePointer<S>, batch: PackedBatch, weights: ParameterStore<S>,
    adapters: AdapterStack<S>?, arena: Arena<S>, dropout: DropoutPlan?,
    embedded: InputEmbeddings.Saved<S>?
  ) -> Saved<S> {
    let weights = adapters?.changed ?? weights
    var input = x
    var saved: [TransformerLayer.Saved<S>] = []
    for layer in first..<layers.count {
      let output: UnsafeMutablePointer<S> = arena.take(
        batch.tokenCount * configuration.hiddenSize)
      saved.append(
        layers[layer].forward(
          output, x: input, batch: batch, weights: weights,
          adapters: adapters?.slots(layer, gradients: nil) ?? .init(), arena: arena,
          dropout: dropout, keep: true))
      input = output
    }
    return Saved(embeddings: embedded, layers: saved, firstLayer: first, output: input)
  }

  /// Runs layers `range` without keeping anything for a backward pass; returns (tokens, H) in the arena.
  ///
  /// `hidden` is the input of layer `range.lowerBound`; `nil` starts from the token ids.
  public func infer<S: KernelScalar>(
    _ batch: PackedBatch, weights: ParameterStore<S>, adapters: AdapterStack<S>? = nil,
    layers range: Range<Int>? = nil, hidden: UnsafeMutablePointer<S>? = nil, arena: Arena<S>
  ) -> UnsafeMutablePointer<S> {
    let weights = adapters?.changed ?? weights
    let count = batch.tokenCount * configuration.hiddenSize
    var input: UnsafeMutablePointer<S> = arena.take(count)
    var output: UnsafeMutablePointer<S> = arena.take(count)
    let mark = arena.mark
    if let hidden {
      input.update(from: hidden, count: count)
    } else {
      _ = embeddings.forward(input, batch: batch, weights: weights, arena: arena, dropout: nil)
      arena.release(to: mark)
    }
    for layer in range ?? 0..<layers.count {
      _ = layers[layer].forward(
        output, x: input, batch: batch, weights: weights,
        adapters: adapters?.slots(layer, gradients: nil) ?? .init(), arena: arena, dropout: nil,
        keep: false)
      arena.release(to: mark)
      swap(&input, &output)
    }
    return input
  }

  /// Adds the gradients of one forward pass; `dOutput` (tokens, H) is overwritten.
  ///
  /// `gradients` nil means a frozen base: then the pass ends at the lowest place where the adapter learns,
  /// and of the base's weights only those get a gradient that the adapter changes. A base that learns
  /// itself may have bottlenecks, but no changes of its weights.
  public func backward<S: KernelScalar>(
    dOutput: UnsafeMutablePointer<S>, saved: Saved<S>, batch: PackedBatch,
    weights: ParameterStore<S>, gradients: ParameterStore<S>?, adapters: AdapterStack<S>? = nil,
    adapterGradients: ParameterStore<S>? = nil, arena: Arena<S>, dropout: DropoutPlan?
  ) {
    precondition(
      gradients == nil || adapters?.changed == nil, "weights that learn under an adapter's changes")
    let mark = arena.mark
    var sink = gradients.map { GradientSink($0) }
    var changes: UnsafeMutablePointer<S>?
    if let adapters, let adapterGradients {
      if adapters.replacesAll {
        sink = GradientSink(adapterGradients)
      } else if let layout = adapters.layout {
        let memory: UnsafeMutablePointer<S> = arena.take(layout.count)
        Reduction.zero(memory, count: layout.count)
        sink = GradientSink(memory, layout: layout)
        changes = memory
      }
    }
    backwardLayers(
      dOutput: dOutput, saved: saved, batch: batch, weights: adapters?.changed ?? weights,
      sink: sink, isFrozen: gradients == nil, adapters: adapters,
      adapterGradients: adapterGradients, arena: arena, dropout: dropout)
    if let adapters, let changes, let adapterGradients {
      adapters.backwardChanges(changes, into: adapterGradients)
    }
    arena.release(to: mark)
  }

  private func backwardLayers<S: KernelScalar>(
    dOutput: UnsafeMutablePointer<S>, saved: Saved<S>, batch: PackedBatch,
    weights: ParameterStore<S>, sink: GradientSink<S>?, isFrozen: Bool,
    adapters: AdapterStack<S>?, adapterGradients: ParameterStore<S>?, arena: Arena<S>,
    dropout: DropoutPlan?
  ) {
    let reachesTokens = !isFrozen || adapters?.changesEmbeddings ?? false
    let lowest =
      reachesTokens
      ? saved.firstLayer
      : (saved.firstLayer..<layers.count).first { adapters?.depth($0) != nil } ?? layers.count
    var dy = dOutput
    var dx: UnsafeMutablePointer<S> = arena.take(batch.tokenCount * configuration.hiddenSize)
    for layer in stride(from: layers.count - 1, through: lowest, by: -1) {
      // Below the lowest place that learns nothing wants a gradient: the way there is saved.
      let endsHere = layer == lowest && !reachesTokens
      layers[layer].backward(
        dx: dx, dy: dy, saved: saved.layers[layer - saved.firstLayer], batch: batch,
        weights: weights, gradients: sink,
        adapters: adapters?.slots(layer, gradients: adapterGradients) ?? .init(), arena: arena,
        dropout: dropout, depth: endsHere ? adapters?.depth(layer) ?? .input : .input)
      swap(&dx, &dy)
    }
    if reachesTokens, let sink, let embedded = saved.embeddings {
      embeddings.backward(
        dy: dy, saved: embedded, batch: batch, weights: weights, gradients: sink,
        dropout: dropout)
    }
  }
}
