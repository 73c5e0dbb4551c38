public import Kernels

extension TextEncoder {
  /// The gradient of the hidden states that a forward pass began with, (tokens, H) in the arena.
  ///
  /// For attributions: no weight gets a gradient. `dOutput` (tokens, H) is overwritten; `saved` belongs to
  /// a pass without dropout.
  public func inputGradient<S: KernelScalar>(
    dOutput: UnsafeMutablePointer<S>, saved: Saved<S>, batch: PackedBatch,
    weights: ParameterStore<S>, adapters: AdapterStack<S>? = nil, arena: Arena<S>
  ) -> UnsafeMutablePointer<S> {
    var dy = dOutput
    var dx: UnsafeMutablePointer<S> = arena.take(batch.tokenCount * configuration.hiddenSize)
    for layer in stride(from: layers.count - 1, through: saved.firstLayer, by: -1) {
      layers[layer].backward(
        dx: dx, dy: dy, saved: saved.layers[layer - saved.firstLayer], batch: batch,
        weights: adapters?.changed ?? weights, gradients: nil,
        adapters: adapters?.slots(layer, gradients: nil) ?? .init(), arena: arena, dropout: nil,
        depth: .input)
      swap(&dx, &dy)
    }
    return dy
  }
}
