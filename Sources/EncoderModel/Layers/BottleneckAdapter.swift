public import Kernels

/// A bottleneck adapter beside one of a layer's two residual additions.
///
/// It adds u = scaling * up(act(down(z))) before the LayerNorm. With x the residual, f the block's output
/// and s = x + f, z is LN(s) for ``Placement/afterNorm``, f for ``Placement/sequential`` and x for
/// ``Placement/parallel``. The up-projection starts at zero, so that step 0 equals the base.
public struct BottleneckAdapter: Sendable {
  /// What the adapter reads.
  public enum Placement: Sendable {
    /// The normalised sum, AdapterHub's `seq_bn` (Pfeiffer et al. 2020, "AdapterHub").
    case afterNorm
    /// The block's output, `double_seq_bn` (Houlsby et al. 2019, "Parameter-Efficient Transfer Learning").
    case sequential
    /// The block's input, `par_bn` (He et al. 2021, "Towards a Unified View").
    case parallel
  }

  /// Which of the layer's blocks the adapter belongs to.
  public enum Site: String, Sendable, CaseIterable {
    /// Self-attention.
    case attention = "attention.output"
    /// The feed-forward block.
    case feedForward = "output"
  }

  /// Everything but the sizes.
  public struct Design: Sendable, Equatable {
    /// What the adapter reads.
    public var placement: Placement
    /// The function inside the bottleneck.
    public var activation: ActivationKind
    /// The factor of what is added.
    public var scaling: Double

    /// Creates a design.
    public init(placement: Placement, activation: ActivationKind, scaling: Double = 1) {
      self.placement = placement
      self.activation = activation
      self.scaling = scaling
    }

    /// AdapterHub's `seq_bn`.
    public static let pfeiffer = Design(placement: .afterNorm, activation: .relu)
    /// AdapterHub's `double_seq_bn`.
    public static let houlsby = Design(placement: .sequential, activation: .swish)
    /// AdapterHub's `par_bn`.
    public static let parallel = Design(placement: .parallel, activation: .relu, scaling: 4)
  }

  let downWeight: TensorHandle
  let downBias: TensorHandle
  let upWeight: TensorHandle
  let upBias: TensorHandle
  let width: Int
  let bottleneck: Int
  /// The layer, from 0.
  public let layer: Int
  /// Placement, activation and scaling.
  public let design: Design
  /// The block.
  public let site: Site

  /// Width of the bottleneck.
  public var bottleneckWidth: Int { bottleneck }

  /// Declares the adapter `name` of one layer under AdapterHub's tensor names.
  public init(
    name: String, layer: Int, width: Int, bottleneck: Int, design: Design = .pfeiffer,
    site: Site = .feedForward, in table: inout ParameterTable
  ) {
    let scope = BottleneckAdapter.scope(name: name, layer: layer, site: site)
    downWeight = table.declare("\(scope).adapter_down.0.weight", bottleneck, width)
    downBias = table.declare("\(scope).adapter_down.0.bias", bottleneck)
    upWeight = table.declare("\(scope).adapter_up.weight", width, bottleneck)
    upBias = table.declare("\(scope).adapter_up.bias", width)
    self.width = width
    self.bottleneck = bottleneck
    self.layer = layer
    self.design = design
    self.site = site
  }

  /// What the names of an adapter's tensors begin with.
  package static func scope(name: String, layer: Int, site: Site) -> String {
    "encoder.layer.\(layer).\(site.rawValue).adapters.\(name)"
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
    /// The adapter's input z, (tokens, H).
    let input: UnsafeMutablePointer<S>
    /// Pre-activation and activation, (tokens, bottleneck).
    let inner: UnsafeMutablePointer<S>
    let activated: UnsafeMutablePointer<S>
  }

  /// Writes u into `delta`; `input` is kept by reference.
  func forward<S: KernelScalar>(
    delta: UnsafeMutablePointer<S>, input: UnsafeMutablePointer<S>, rows: Int,
    weights: ParameterStore<S>, arena: Arena<S>
  ) -> Saved<S> {
    let saved = Saved<S>(
      input: input, inner: arena.take(rows * bottleneck), activated: arena.take(rows * bottleneck))
    Linear.forward(
      y: saved.inner, x: input, weight: weights[downWeight], bias: nil, rows: rows,
      inputs: width, outputs: bottleneck, team: arena.team)
    BiasActivation.forward(
      y: saved.activated, z: saved.inner, bias: weights[downBias], rows: rows, width: bottleneck,
      kind: design.activation)
    Linear.forward(
      y: delta, x: saved.activated, weight: weights[upWeight], bias: weights[upBias], rows: rows,
      inputs: bottleneck, outputs: width, team: arena.team)
    if design.scaling != 1 {
      Elementwise.scale(delta, by: S(design.scaling), count: rows * width)
    }
    return saved
  }

  /// Adds the gradients of the adapter's weights, and that of its input to `dInput` where that isn't nil.
  ///
  /// `dDelta` is the gradient of u; `dInput` may be the same memory.
  func backward<S: KernelScalar>(
    dInput: UnsafeMutablePointer<S>?, accumulate: Bool, dDelta: UnsafeMutablePointer<S>,
    saved: Saved<S>, rows: Int, weights: ParameterStore<S>, gradients: ParameterStore<S>?,
    arena: Arena<S>
  ) {
    let mark = arena.mark
    let dInner: UnsafeMutablePointer<S> = arena.take(rows * bottleneck)
    var dUp = dDelta
    if design.scaling != 1 {
      dUp = arena.take(rows * width)
      dUp.update(from: dDelta, count: rows * width)
      Elementwise.scale(dUp, by: S(design.scaling), count: rows * width)
    }
    Linear.backward(
      dx: dInner, accumulate: false, dWeight: gradients?[upWeight], dBias: gradients?[upBias],
      dy: dUp, x: saved.activated, weight: weights[upWeight], rows: rows, inputs: bottleneck,
      outputs: width)
    BiasActivation.backward(
      dz: dInner, dy: dInner, z: saved.inner, count: rows * bottleneck, kind: design.activation)
    Linear.backward(
      dx: dInput, accumulate: accumulate, dWeight: gradients?[downWeight],
      dBias: gradients?[downBias], dy: dInner, x: saved.input, weight: weights[downWeight],
      rows: rows, inputs: width, outputs: bottleneck)
    arena.release(to: mark)
  }
}

/// One block's adapter with the store that holds its weights and, in training, its gradients.
public struct AdapterSlot<S: KernelScalar> {
  let adapter: BottleneckAdapter
  let weights: ParameterStore<S>
  let gradients: ParameterStore<S>?
}

extension BottleneckAdapter {
  /// The tensors by their names behind the scope, with their shapes.
  package var tensors: [(name: String, shape: [Int], handle: TensorHandle)] {
    [
      ("adapter_down.0.weight", [bottleneck, width], downWeight),
      ("adapter_down.0.bias", [bottleneck], downBias),
      ("adapter_up.weight", [width, bottleneck], upWeight), ("adapter_up.bias", [width], upBias),
    ]
  }
}
