internal import Kernels

/// The feed-forward block with residual and LayerNorm, and the bottleneck adapter inside it where
/// there is one: (tokens, H) -> (tokens, H).
public struct FeedForward: Sendable {
  let upWeight: TensorHandle
  let upBias: TensorHandle
  let downWeight: TensorHandle
  let downBias: TensorHandle
  let residual: ResidualNorm
  let configuration: EncoderConfiguration

  init(_ configuration: EncoderConfiguration, layer: Int, in table: inout ParameterTable) {
    let (width, inner) = (configuration.hiddenSize, configuration.intermediateSize)
    let scope = "encoder.layer.\(layer)"
    upWeight = table.declare("\(scope).intermediate.dense.weight", inner, width)
    upBias = table.declare("\(scope).intermediate.dense.bias", inner)
    downWeight = table.declare("\(scope).output.dense.weight", width, inner)
    downBias = table.declare("\(scope).output.dense.bias", width)
    residual = ResidualNorm(
      bias: downBias, weight: table.declare("\(scope).output.LayerNorm.weight", width),
      shift: table.declare("\(scope).output.LayerNorm.bias", width), width: width,
      epsilon: configuration.layerNormEpsilon, layer: layer, site: .feedForwardOutput)
    self.configuration = configuration
  }

  /// The tensors, as the passes ask for them.
  var handles: [TensorHandle] {
    [upWeight, upBias, downWeight, downBias, residual.weight, residual.shift]
  }

  struct Saved<S: KernelScalar> {
    /// Pre-activation and activation, (tokens, I).
    let inner: UnsafeMutablePointer<S>
    let activated: UnsafeMutablePointer<S>
    let residual: ResidualNorm.Saved<S>
  }

  /// `y` = LayerNorm(x + dropout(W2 act(W1 x))), with the adapter between the block and the LayerNorm; `keep` false
  /// overwrites what a backward pass would want.
  func forward<S: KernelScalar>(
    _ y: UnsafeMutablePointer<S>, x: UnsafeMutablePointer<S>, rows: Int,
    weights: ParameterStore<S>, adapter: AdapterSlot<S>?, arena: Arena<S>, dropout: DropoutPlan?,
    keep: Bool
  ) -> Saved<S> {
    let (width, innerWidth) = (configuration.hiddenSize, configuration.intermediateSize)
    let inner: UnsafeMutablePointer<S> = arena.take(rows * innerWidth)
    let activated = keep ? arena.take(rows * innerWidth) : inner
    let branch: UnsafeMutablePointer<S> = arena.take(rows * width)
    Linear.forward(
      y: inner, x: x, weight: weights[upWeight], bias: nil, rows: rows, inputs: width,
      outputs: innerWidth, team: arena.team)
    nonisolated(unsafe) let (from, to, bias) = (inner, activated, weights[upBias])
    let kind = configuration.activation.kind
    Team.share(rows, among: arena.team) { rows in
      let start = rows.lowerBound * innerWidth
      BiasActivation.forward(
        y: to + start, z: from + start, bias: bias, rows: rows.count, width: innerWidth, kind: kind)
    }
    Linear.forward(
      y: branch, x: activated, weight: weights[downWeight], bias: nil, rows: rows,
      inputs: innerWidth, outputs: width, team: arena.team)
    return Saved(
      inner: inner, activated: activated,
      residual: residual.forward(
        y, branch: branch, x: x, rows: rows, weights: weights, adapter: adapter, arena: arena,
        dropout: dropout))
  }

  /// Writes the gradient of `x` into `dx`, adds weight gradients where given, and overwrites `dy`.
  func backward<S: KernelScalar>(
    dx: UnsafeMutablePointer<S>, dy: UnsafeMutablePointer<S>, x: UnsafeMutablePointer<S>,
    saved: Saved<S>, rows: Int, weights: ParameterStore<S>, gradients: GradientSink<S>?,
    adapter: AdapterSlot<S>?, arena: Arena<S>, dropout: DropoutPlan?
  ) {
    let (width, innerWidth) = (configuration.hiddenSize, configuration.intermediateSize)
    residual.backward(
      dx: dx, dy: dy, saved: saved.residual, rows: rows, weights: weights, gradients: gradients,
      adapter: adapter, arena: arena, dropout: dropout)
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
