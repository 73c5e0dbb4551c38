public import Kernels

/// A bottleneck adapter after the feed-forward block (AdapterHub's `seq_bn`).
///
/// With s = x + ffn(x), the layer's output becomes LN(s + up(act(down(LN(s))))), both LN being the
/// layer's own output LayerNorm. The up-projection starts at zero, so that step 0 equals the base.
/// Reference: Pfeiffer et al. 2020, "AdapterHub: A Framework for Adapting Transformers".
public struct BottleneckAdapter: Sendable {
  let downWeight: TensorHandle
  let downBias: TensorHandle
  let upWeight: TensorHandle
  let upBias: TensorHandle
  let width: Int
  let bottleneck: Int

  /// Width of the bottleneck.
  public var bottleneckWidth: Int { bottleneck }

  /// Declares the adapter `name` of one layer under AdapterHub's tensor names.
  public init(
    name: String, layer: Int, width: Int, bottleneck: Int, in table: inout ParameterTable
  ) {
    let scope = "encoder.layer.\(layer).output.adapters.\(name)"
    downWeight = table.declare("\(scope).adapter_down.0.weight", bottleneck, width)
    downBias = table.declare("\(scope).adapter_down.0.bias", bottleneck)
    upWeight = table.declare("\(scope).adapter_up.weight", width, bottleneck)
    upBias = table.declare("\(scope).adapter_up.bias", width)
    self.width = width
    self.bottleneck = bottleneck
  }

  /// Draws the down-projection from N(0, 0.02²) and zeroes the rest.
  public func initialize<S: KernelScalar>(
    _ store: ParameterStore<S>, using generator: inout some RandomNumberGenerator
  ) {
    let down = UnsafeMutableBufferPointer(start: store[downWeight], count: downWeight.count)
    Initialization.fillNormal(down, deviation: 0.02, using: &generator)
    for handle in [downBias, upWeight, upBias] {
      store[handle].update(repeating: 0, count: handle.count)
    }
  }

  struct Saved<S: KernelScalar> {
    /// LN(s), the adapter's input, (tokens, H).
    let input: UnsafeMutablePointer<S>
    /// Pre-activation and activation, (tokens, bottleneck).
    let inner: UnsafeMutablePointer<S>
    let activated: UnsafeMutablePointer<S>
    /// s + adapter output and its row statistics: the LayerNorm's second use.
    let sum: UnsafeMutablePointer<S>
    let mean: UnsafeMutablePointer<S>
    let rstd: UnsafeMutablePointer<S>
  }

  /// `normalised` = LN(s) goes in, `y` comes out; they may be the same memory.
  func forward<S: KernelScalar>(
    _ y: UnsafeMutablePointer<S>, normalised: UnsafeMutablePointer<S>,
    sum: UnsafeMutablePointer<S>, rows: Int, weights: ParameterStore<S>,
    norm: (weight: UnsafeMutablePointer<S>, bias: UnsafeMutablePointer<S>), epsilon: Double,
    arena: Arena<S>
  ) -> Saved<S> {
    let saved = Saved<S>(
      input: arena.take(rows * width), inner: arena.take(rows * bottleneck),
      activated: arena.take(rows * bottleneck), sum: arena.take(rows * width),
      mean: arena.take(rows), rstd: arena.take(rows))
    saved.input.update(from: normalised, count: rows * width)
    Linear.forward(
      y: saved.inner, x: saved.input, weight: weights[downWeight], bias: nil, rows: rows,
      inputs: width, outputs: bottleneck, team: arena.team)
    BiasActivation.forward(
      y: saved.activated, z: saved.inner, bias: weights[downBias], rows: rows, width: bottleneck,
      kind: .relu)
    Linear.forward(
      y: saved.sum, x: saved.activated, weight: weights[upWeight], bias: nil, rows: rows,
      inputs: bottleneck, outputs: width, team: arena.team)
    LayerNorm.residualForward(
      y: y, sum: saved.sum, mean: saved.mean, rstd: saved.rstd, x: saved.sum, residual: sum,
      xBias: weights[upBias], weight: norm.weight, bias: norm.bias, rows: rows, width: width,
      epsilon: S(epsilon))
    return saved
  }

  /// Writes the gradient of s into `dSum` and adds those of the adapter's weights.
  func backward<S: KernelScalar>(
    dSum: UnsafeMutablePointer<S>, dy: UnsafeMutablePointer<S>, first: FeedForward.Saved<S>,
    saved: Saved<S>, rows: Int, weights: ParameterStore<S>, gradients: ParameterStore<S>?,
    norm: FeedForwardNorm<S>, arena: Arena<S>
  ) {
    norm.backward(
      dx: dSum, accumulate: false, dy: dy, x: saved.sum, mean: saved.mean, rstd: saved.rstd)
    let mark = arena.mark
    let dInner: UnsafeMutablePointer<S> = arena.take(rows * bottleneck)
    let dInput: UnsafeMutablePointer<S> = arena.take(rows * width)
    Linear.backward(
      dx: dInner, accumulate: false, dWeight: gradients?[upWeight], dBias: gradients?[upBias],
      dy: dSum, x: saved.activated, weight: weights[upWeight], rows: rows, inputs: bottleneck,
      outputs: width)
    BiasActivation.backward(
      dz: dInner, dy: dInner, z: saved.inner, count: rows * bottleneck, kind: .relu)
    Linear.backward(
      dx: dInput, accumulate: false, dWeight: gradients?[downWeight],
      dBias: gradients?[downBias], dy: dInner, x: saved.input, weight: weights[downWeight],
      rows: rows, inputs: width, outputs: bottleneck)
    norm.backward(
      dx: dSum, accumulate: true, dy: dInput, x: first.sum, mean: first.mean, rstd: first.rstd)
    arena.release(to: mark)
  }
}

/// One layer's adapter with the store that holds its weights and, in training, its gradients.
public struct AdapterSlot<S: KernelScalar> {
  let adapter: BottleneckAdapter
  let weights: ParameterStore<S>
  let gradients: ParameterStore<S>?
}
