internal import Kernels

/// The feed-forward block with residual and LayerNorm, and the bottleneck adapter inside it where
/// there is one: (tokens, H) -> (tokens, H).
public struct FeedForward: Sendable {
  let upWeight: TensorHandle
  let upBias: TensorHandle
  let downWeight: TensorHandle
  let downBias: TensorHandle
  let normWeight: TensorHandle
  let normBias: TensorHandle
  let configuration: EncoderConfiguration
  let layer: Int

  init(_ configuration: EncoderConfiguration, layer: Int, in table: inout ParameterTable) {
    let (width, inner) = (configuration.hiddenSize, configuration.intermediateSize)
    let scope = "encoder.layer.\(layer)"
    upWeight = table.declare("\(scope).intermediate.dense.weight", inner, width)
    upBias = table.declare("\(scope).intermediate.dense.bias", inner)
    downWeight = table.declare("\(scope).output.dense.weight", width, inner)
    downBias = table.declare("\(scope).output.dense.bias", width)
    normWeight = table.declare("\(scope).output.LayerNorm.weight", width)
    normBias = table.declare("\(scope).output.LayerNorm.bias", width)
    self.configuration = configuration
    self.layer = layer
  }

  struct Saved<S: KernelScalar> {
    /// Pre-activation and activation, (tokens, I).
    let inner: UnsafeMutablePointer<S>
    let activated: UnsafeMutablePointer<S>
    /// The LayerNorm's input; with an adapter, that of its first use.
    let sum: UnsafeMutablePointer<S>
    let mean: UnsafeMutablePointer<S>
    let rstd: UnsafeMutablePointer<S>
    let adapter: BottleneckAdapter.Saved<S>?
  }

  /// `y` = LayerNorm(x + dropout(W2 act(W1 x))), with the adapter between the block and the LayerNorm.
  func forward<S: KernelScalar>(
    _ y: UnsafeMutablePointer<S>, x: UnsafeMutablePointer<S>, rows: Int,
    weights: ParameterStore<S>, adapter: AdapterSlot<S>?, arena: Arena<S>, dropout: DropoutPlan?
  ) -> Saved<S> {
    let (width, innerWidth) = (configuration.hiddenSize, configuration.intermediateSize)
    let inner: UnsafeMutablePointer<S> = arena.take(rows * innerWidth)
    let activated: UnsafeMutablePointer<S> = arena.take(rows * innerWidth)
    let sum: UnsafeMutablePointer<S> = arena.take(rows * width)
    let mean: UnsafeMutablePointer<S> = arena.take(rows)
    let rstd: UnsafeMutablePointer<S> = arena.take(rows)
    Linear.forward(
      y: inner, x: x, weight: weights[upWeight], bias: nil, rows: rows, inputs: width,
      outputs: innerWidth, team: arena.team)
    BiasActivation.forward(
      y: activated, z: inner, bias: weights[upBias], rows: rows, width: innerWidth,
      kind: configuration.activation.kind)
    let outputDropout = dropout?.dropout(.feedForwardOutput, layer: layer)
    Linear.forward(
      y: sum, x: activated, weight: weights[downWeight],
      bias: outputDropout == nil ? nil : weights[downBias], rows: rows, inputs: innerWidth,
      outputs: width, team: arena.team)
    outputDropout?.apply(sum, count: rows * width)
    LayerNorm.residualForward(
      y: y, sum: sum, mean: mean, rstd: rstd, x: sum, residual: x,
      xBias: outputDropout == nil ? weights[downBias] : nil, weight: weights[normWeight],
      bias: weights[normBias], rows: rows, width: width,
      epsilon: S(configuration.layerNormEpsilon))
    let adapterSaved = adapter.map { slot in
      slot.adapter.forward(
        y, normalised: y, sum: sum, rows: rows, weights: slot.weights,
        norm: (weights[normWeight], weights[normBias]),
        epsilon: configuration.layerNormEpsilon, arena: arena)
    }
    return Saved(
      inner: inner, activated: activated, sum: sum, mean: mean, rstd: rstd, adapter: adapterSaved)
  }

  /// Writes the gradient of `x` into `dx`, adds weight gradients where given, and overwrites `dy`.
  func backward<S: KernelScalar>(
    dx: UnsafeMutablePointer<S>, dy: UnsafeMutablePointer<S>, x: UnsafeMutablePointer<S>,
    saved: Saved<S>, rows: Int, weights: ParameterStore<S>, gradients: ParameterStore<S>?,
    adapter: AdapterSlot<S>?, arena: Arena<S>, dropout: DropoutPlan?
  ) {
    let (width, innerWidth) = (configuration.hiddenSize, configuration.intermediateSize)
    backwardResidual(
      dSum: dx, dy: dy, saved: saved, rows: rows, weights: weights, gradients: gradients,
      adapter: adapter, arena: arena)
    dy.update(from: dx, count: rows * width)
    dropout?.dropout(.feedForwardOutput, layer: layer)?.apply(dy, count: rows * width)
    let mark = arena.mark
    let dInner: UnsafeMutablePointer<S> = arena.take(rows * innerWidth)
    Linear.backward(
      dx: dInner, accumulate: false, dWeight: gradients?[downWeight],
      dBias: gradients?[downBias], dy: dy, x: saved.activated, weight: weights[downWeight],
      rows: rows, inputs: innerWidth, outputs: width)
    BiasActivation.backward(
      dz: dInner, dy: dInner, z: saved.inner, count: rows * innerWidth,
      kind: configuration.activation.kind)
    Linear.backward(
      dx: dx, accumulate: true, dWeight: gradients?[upWeight], dBias: gradients?[upBias],
      dy: dInner, x: x, weight: weights[upWeight], rows: rows, inputs: width,
      outputs: innerWidth)
    arena.release(to: mark)
  }

  /// The part above the block: LayerNorm and adapter, down to the gradient of x + ffn(x) in `dSum`.
  func backwardResidual<S: KernelScalar>(
    dSum: UnsafeMutablePointer<S>, dy: UnsafeMutablePointer<S>, saved: Saved<S>, rows: Int,
    weights: ParameterStore<S>, gradients: ParameterStore<S>?, adapter: AdapterSlot<S>?,
    arena: Arena<S>
  ) {
    let norm = FeedForwardNorm(
      weight: weights[normWeight], dWeight: gradients?[normWeight], dBias: gradients?[normBias],
      rows: rows, width: configuration.hiddenSize)
    if let slot = adapter, let adapterSaved = saved.adapter {
      slot.adapter.backward(
        dSum: dSum, dy: dy, first: saved, saved: adapterSaved, rows: rows, weights: slot.weights,
        gradients: slot.gradients, norm: norm, arena: arena)
    } else {
      norm.backward(
        dx: dSum, accumulate: false, dy: dy, x: saved.sum, mean: saved.mean, rstd: saved.rstd)
    }
  }
}

/// The block's LayerNorm in a backward pass: it is used once, or twice around an adapter.
struct FeedForwardNorm<S: KernelScalar> {
  let weight: UnsafeMutablePointer<S>
  let dWeight: UnsafeMutablePointer<S>?
  let dBias: UnsafeMutablePointer<S>?
  let rows: Int
  let width: Int

  func backward(
    dx: UnsafeMutablePointer<S>, accumulate: Bool, dy: UnsafeMutablePointer<S>,
    x: UnsafeMutablePointer<S>, mean: UnsafeMutablePointer<S>, rstd: UnsafeMutablePointer<S>
  ) {
    LayerNorm.backward(
      dx: dx, accumulate: accumulate, dWeight: dWeight, dBias: dBias, dy: dy, x: x, mean: mean,
      rstd: rstd, weight: weight, rows: rows, width: width)
  }
}

extension EncoderConfiguration.Activation {
  /// The kernel that computes it.
  var kind: ActivationKind {
    switch self {
    case .gelu: .gelu
    case .geluNew, .geluTanh: .geluTanh
    case .relu: .relu
    }
  }
}
