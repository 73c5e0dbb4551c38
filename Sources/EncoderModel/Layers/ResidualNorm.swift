internal import Kernels

/// What ends both blocks of a layer: y = LayerNorm(x + f), with a bottleneck adapter where there is one.
///
/// x is the block's input and f its output after bias and dropout, both (tokens, H).
struct ResidualNorm: Sendable {
  /// Bias of the dense layer that made f.
  let bias: TensorHandle
  let weight: TensorHandle
  let shift: TensorHandle
  let width: Int
  let epsilon: Double
  let layer: Int
  let site: DropoutPlan.Site

  struct Saved<S: KernelScalar> {
    /// What was normalised, and its row statistics.
    let sum: UnsafeMutablePointer<S>
    let mean: UnsafeMutablePointer<S>
    let rstd: UnsafeMutablePointer<S>
    let adapter: BottleneckAdapter.Saved<S>?
    /// The LayerNorm's first use, by which ``BottleneckAdapter/Placement/afterNorm`` gets its input.
    let first: Statistics<S>?
  }

  /// A LayerNorm's input and row statistics.
  struct Statistics<S: KernelScalar> {
    let sum: UnsafeMutablePointer<S>
    let mean: UnsafeMutablePointer<S>
    let rstd: UnsafeMutablePointer<S>
  }

  /// `branch` is the dense product without its bias and becomes the sum.
  func forward<S: KernelScalar>(
    _ y: UnsafeMutablePointer<S>, branch: UnsafeMutablePointer<S>, x: UnsafeMutablePointer<S>,
    rows: Int, weights: ParameterStore<S>, adapter slot: AdapterSlot<S>?, arena: Arena<S>,
    dropout: DropoutPlan?
  ) -> Saved<S> {
    let (mean, rstd): (UnsafeMutablePointer<S>, UnsafeMutablePointer<S>) = (
      arena.take(rows), arena.take(rows)
    )
    var fusedBias: UnsafeMutablePointer<S>? = weights[bias]
    let mask = dropout?.dropout(site, layer: layer)
    if mask != nil || slot?.adapter.design.placement == .sequential {
      BiasActivation.forward(
        y: branch, z: branch, bias: fusedBias, rows: rows, width: width, kind: .identity)
      fusedBias = nil
      mask?.apply(branch, count: rows * width)
    }
    func normalize(
      _ sum: UnsafeMutablePointer<S>, _ first: UnsafeMutablePointer<S>,
      _ residual: UnsafeMutablePointer<S>, _ mean: UnsafeMutablePointer<S>,
      _ rstd: UnsafeMutablePointer<S>, bias: UnsafeMutablePointer<S>?
    ) {
      nonisolated(unsafe) let (y, sum, first, residual) = (y, sum, first, residual)
      nonisolated(unsafe) let (mean, rstd, bias) = (mean, rstd, bias)
      nonisolated(unsafe) let (scale, shift) = (weights[weight], weights[shift])
      let (width, epsilon) = (width, S(epsilon))
      Team.share(rows, among: arena.team) { rows in
        let (row, start) = (rows.lowerBound, rows.lowerBound * width)
        LayerNorm.residualForward(
          y: y + start, sum: sum + start, mean: mean + row, rstd: rstd + row, x: first + start,
          residual: residual + start, xBias: bias, weight: scale, bias: shift, rows: rows.count,
          width: width, epsilon: epsilon)
      }
    }
    guard let slot else {
      normalize(branch, branch, x, mean, rstd, bias: fusedBias)
      return Saved(sum: branch, mean: mean, rstd: rstd, adapter: nil, first: nil)
    }
    let (adapter, delta): (BottleneckAdapter, UnsafeMutablePointer<S>) = (
      slot.adapter, arena.take(rows * width)
    )
    func run(_ input: UnsafeMutablePointer<S>) -> BottleneckAdapter.Saved<S> {
      adapter.forward(delta: delta, input: input, rows: rows, weights: slot.weights, arena: arena)
    }
    switch adapter.design.placement {
    case .afterNorm:
      let first = Statistics<S>(sum: branch, mean: arena.take(rows), rstd: arena.take(rows))
      normalize(branch, branch, x, first.mean, first.rstd, bias: fusedBias)
      let input: UnsafeMutablePointer<S> = arena.take(rows * width)
      input.update(from: y, count: rows * width)
      let saved = run(input)
      normalize(delta, delta, branch, mean, rstd, bias: nil)
      return Saved(sum: delta, mean: mean, rstd: rstd, adapter: saved, first: first)
    case .sequential, .parallel:
      // The block's output is what a sequential adapter keeps, so the sum gets a place of its own.
      let saved = run(adapter.design.placement == .parallel ? x : branch)
      Reduction.add(into: delta, branch, count: rows * width)
      normalize(delta, delta, x, mean, rstd, bias: fusedBias)
      return Saved(sum: delta, mean: mean, rstd: rstd, adapter: saved, first: nil)
    }
  }

  /// Writes the gradient of x into `dx` and that of the dense product, bias included, into `dy`.
  ///
  /// With `descends` false nothing below wants a gradient: only the weights here get theirs.
  func backward<S: KernelScalar>(
    dx: UnsafeMutablePointer<S>, dy: UnsafeMutablePointer<S>, saved: Saved<S>, rows: Int,
    weights: ParameterStore<S>, gradients: GradientSink<S>?, adapter slot: AdapterSlot<S>?,
    arena: Arena<S>, dropout: DropoutPlan?, descends: Bool = true
  ) {
    func norm(_ dy: UnsafeMutablePointer<S>, _ at: Statistics<S>, accumulate: Bool) {
      LayerNorm.backward(
        dx: dx, accumulate: accumulate, dWeight: gradients?[weight], dBias: gradients?[shift],
        dy: dy, x: at.sum, mean: at.mean, rstd: at.rstd, weight: weights[weight], rows: rows,
        width: width)
    }
    norm(
      dy, Statistics(sum: saved.sum, mean: saved.mean, rstd: saved.rstd), accumulate: false)
    if let slot, let inner = saved.adapter {
      func run(_ dInput: UnsafeMutablePointer<S>?, accumulate: Bool) {
        slot.adapter.backward(
          dInput: dInput, accumulate: accumulate, dDelta: dx, saved: inner, rows: rows,
          weights: slot.weights, gradients: slot.gradients, arena: arena)
      }
      if let first = saved.first {
        run(dy, accumulate: false)
        norm(dy, first, accumulate: true)
        dy.update(from: dx, count: rows * width)
      } else {
        dy.update(from: dx, count: rows * width)
        let isParallel = slot.adapter.design.placement == .parallel
        run(descends ? (isParallel ? dx : dy) : nil, accumulate: true)
      }
    } else {
      dy.update(from: dx, count: rows * width)
    }
    if descends { dropout?.dropout(site, layer: layer)?.apply(dy, count: rows * width) }
  }
}
