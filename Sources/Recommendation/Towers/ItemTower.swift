import EncoderModel
import Kernels

/// The item side: an item's text vectors and features -> a unit vector of ``TowerConfiguration/width``.
///
/// y = normalise(L x + O gelu(H x + b)): a linear map with a small correction, as UniSRec's adaptor has.
public struct ItemTower: Sendable {
  package let linear: TensorHandle
  let hiddenWeight: TensorHandle
  let hiddenBias: TensorHandle
  let outputWeight: TensorHandle
  let configuration: TowerConfiguration

  package init(_ configuration: TowerConfiguration, in table: inout ParameterTable) {
    let c = configuration
    self.configuration = c
    linear = table.declare("item.linear.weight", c.width, c.itemInputs)
    hiddenWeight = table.declare("item.hidden.weight", c.hidden, c.itemInputs)
    hiddenBias = table.declare("item.hidden.bias", c.hidden)
    outputWeight = table.declare("item.output.weight", c.width, c.hidden)
  }

  package struct Saved<S: KernelScalar> {
    let rows: Int
    let x: UnsafeMutablePointer<S>
    let z: UnsafeMutablePointer<S>
    let activated: UnsafeMutablePointer<S>
    package let y: UnsafeMutablePointer<S>
    let norm: UnsafeMutablePointer<S>
  }

  /// `x` is (rows, itemInputs); the result's `y` is (rows, width) with unit rows.
  package func forward<S: KernelScalar>(
    x: UnsafeMutablePointer<S>, rows: Int, weights: ParameterStore<S>, arena: Arena<S>
  ) -> Saved<S> {
    let c = configuration
    let saved = Saved<S>(
      rows: rows, x: x, z: arena.take(rows * c.hidden), activated: arena.take(rows * c.hidden),
      y: arena.take(rows * c.width), norm: arena.take(rows))
    Linear.forward(
      y: saved.z, x: x, weight: weights[hiddenWeight], bias: nil, rows: rows,
      inputs: c.itemInputs, outputs: c.hidden)
    BiasActivation.forward(
      y: saved.activated, z: saved.z, bias: weights[hiddenBias], rows: rows, width: c.hidden,
      kind: .gelu)
    Linear.forward(
      y: saved.y, x: x, weight: weights[linear], bias: nil, rows: rows, inputs: c.itemInputs,
      outputs: c.width)
    S.gemm(
      transposeA: false, transposeB: true, m: rows, n: c.width, k: c.hidden, alpha: 1,
      a: saved.activated, lda: c.hidden, b: weights[outputWeight], ldb: c.hidden, beta: 1,
      c: saved.y, ldc: c.width)
    L2Normalize.forward(y: saved.y, norm: saved.norm, x: saved.y, rows: rows, width: c.width)
    return saved
  }

  /// Adds weight gradients; writes the gradient of `x` into `dx` where it is wanted.
  ///
  /// `dy` is overwritten.
  package func backward<S: KernelScalar>(
    dx: UnsafeMutablePointer<S>?, dy: UnsafeMutablePointer<S>, saved: Saved<S>,
    weights: ParameterStore<S>, gradients: ParameterStore<S>, arena: Arena<S>
  ) {
    let (c, rows) = (configuration, saved.rows)
    let mark = arena.mark
    defer { arena.release(to: mark) }
    L2Normalize.backward(
      dx: dy, accumulate: false, dy: dy, y: saved.y, norm: saved.norm, rows: rows,
      width: c.width)
    let dHidden: UnsafeMutablePointer<S> = arena.take(rows * c.hidden)
    Linear.backward(
      dx: dHidden, accumulate: false, dWeight: gradients[outputWeight], dBias: nil, dy: dy,
      x: saved.activated, weight: weights[outputWeight], rows: rows, inputs: c.hidden,
      outputs: c.width)
    BiasActivation.backward(
      dz: dHidden, dy: dHidden, z: saved.z, count: rows * c.hidden, kind: .gelu)
    Linear.backward(
      dx: dx, accumulate: false, dWeight: gradients[linear], dBias: nil, dy: dy, x: saved.x,
      weight: weights[linear], rows: rows, inputs: c.itemInputs, outputs: c.width)
    Linear.backward(
      dx: dx, accumulate: true, dWeight: gradients[hiddenWeight], dBias: gradients[hiddenBias],
      dy: dHidden, x: saved.x, weight: weights[hiddenWeight], rows: rows, inputs: c.itemInputs,
      outputs: c.hidden)
  }
}
