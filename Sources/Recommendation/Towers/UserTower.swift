import EncoderModel
import Kernels

/// The user side: the vectors of a history, and the user's features -> a unit vector.
///
/// Additive attention over the history (NRMS, Wu et al. 2019) beside its mean:
/// a = softmax(q . tanh(K v + b)), u = normalise(P [sum a v ; mean v] + F features + c). A user without
/// history has features alone; one with neither gets the bias c, the same for all such users.
public struct UserTower: Sendable {
  let key: TensorHandle
  let keyBias: TensorHandle
  let query: TensorHandle
  let projection: TensorHandle
  let projectionBias: TensorHandle
  let features: TensorHandle?
  let configuration: TowerConfiguration

  package init(_ configuration: TowerConfiguration, in table: inout ParameterTable) {
    let c = configuration
    self.configuration = c
    key = table.declare("user.attention.key.weight", c.width, c.width)
    keyBias = table.declare("user.attention.key.bias", c.width)
    query = table.declare("user.attention.query.weight", c.width)
    projection = table.declare("user.projection.weight", c.width, 2 * c.width)
    projectionBias = table.declare("user.projection.bias", c.width)
    features =
      c.userInputs > 0
      ? table.declare("user.features.weight", c.width, c.userInputs) : nil
  }

  /// Starts at the mean of the history: both halves of the projection are half the identity.
  package func initialize<S: KernelScalar>(_ weights: ParameterStore<S>) {
    let width = configuration.width
    weights[projection].update(repeating: 0, count: projection.count)
    for d in 0..<width {
      weights[projection][d * 2 * width + d] = 0.5
      weights[projection][d * 2 * width + width + d] = 0.5
    }
  }

  package struct Saved<S: KernelScalar> {
    let offsets: [Int32]
    let history: UnsafeMutablePointer<S>
    let z: UnsafeMutablePointer<S>
    let activated: UnsafeMutablePointer<S>
    let attention: UnsafeMutablePointer<S>
    let pooled: UnsafeMutablePointer<S>
    let features: UnsafeMutablePointer<S>?
    package let y: UnsafeMutablePointer<S>
    let norm: UnsafeMutablePointer<S>
    var users: Int { offsets.count - 1 }
    var rows: Int { Int(offsets[offsets.count - 1]) }
  }

  /// `history` is (entries, width), user by user as `offsets` says; `y` is (users, width), unit rows.
  package func forward<S: KernelScalar>(
    history: UnsafeMutablePointer<S>, offsets: [Int32], features rows: UnsafeMutablePointer<S>?,
    weights: ParameterStore<S>, arena: Arena<S>
  ) -> Saved<S> {
    let (d, users, entries) = (
      configuration.width, offsets.count - 1, Int(offsets[offsets.count - 1])
    )
    let saved = Saved<S>(
      offsets: offsets, history: history, z: arena.take(entries * d),
      activated: arena.take(entries * d), attention: arena.take(entries),
      pooled: arena.take(users * 2 * d), features: rows, y: arena.take(users * d),
      norm: arena.take(users))
    Linear.forward(
      y: saved.z, x: history, weight: weights[key], bias: nil, rows: entries, inputs: d,
      outputs: d)
    BiasActivation.forward(
      y: saved.activated, z: saved.z, bias: weights[keyBias], rows: entries, width: d,
      kind: .tanh)
    S.gemv(
      transpose: false, rows: entries, columns: d, alpha: 1, a: saved.activated, lda: d,
      x: weights[query], beta: 0, y: saved.attention)
    saved.pooled.update(repeating: 0, count: users * 2 * d)
    for user in 0..<users {
      let (start, end) = (Int(offsets[user]), Int(offsets[user + 1]))
      guard end > start else { continue }
      Softmax.forward(
        y: saved.attention + start, x: saved.attention + start, rows: 1, width: end - start,
        scale: 1)
      let row = saved.pooled + user * 2 * d
      for entry in start..<end {
        S.axpy(d, saved.attention[entry], history + entry * d, row)
        S.axpy(d, 1 / S(end - start), history + entry * d, row + d)
      }
    }
    Linear.forward(
      y: saved.y, x: saved.pooled, weight: weights[projection], bias: weights[projectionBias],
      rows: users, inputs: 2 * d, outputs: d)
    if let features, let rows {
      S.gemm(
        transposeA: false, transposeB: true, m: users, n: d, k: configuration.userInputs,
        alpha: 1, a: rows, lda: configuration.userInputs, b: weights[features],
        ldb: configuration.userInputs, beta: 1, c: saved.y, ldc: d)
    }
    L2Normalize.forward(y: saved.y, norm: saved.norm, x: saved.y, rows: users, width: d)
    return saved
  }

  /// Adds weight gradients and writes the gradient of the history vectors; `dy` is overwritten.
  package func backward<S: KernelScalar>(
    dHistory: UnsafeMutablePointer<S>, dy: UnsafeMutablePointer<S>, saved: Saved<S>,
    weights: ParameterStore<S>, gradients: ParameterStore<S>, arena: Arena<S>
  ) {
    let (d, users, entries) = (configuration.width, saved.users, saved.rows)
    let mark = arena.mark
    defer { arena.release(to: mark) }
    L2Normalize.backward(
      dx: dy, accumulate: false, dy: dy, y: saved.y, norm: saved.norm, rows: users, width: d)
    if let features, let rows = saved.features {
      S.gemm(
        transposeA: true, transposeB: false, m: d, n: configuration.userInputs, k: users,
        alpha: 1, a: dy, lda: d, b: rows, ldb: configuration.userInputs, beta: 1,
        c: gradients[features], ldc: configuration.userInputs)
    }
    let dPooled: UnsafeMutablePointer<S> = arena.take(users * 2 * d)
    Linear.backward(
      dx: dPooled, accumulate: false, dWeight: gradients[projection],
      dBias: gradients[projectionBias], dy: dy, x: saved.pooled, weight: weights[projection],
      rows: users, inputs: 2 * d, outputs: d)
    let dScores: UnsafeMutablePointer<S> = arena.take(entries)
    for user in 0..<users {
      let (start, end) = (Int(saved.offsets[user]), Int(saved.offsets[user + 1]))
      guard end > start else { continue }
      let row = dPooled + user * 2 * d
      for entry in start..<end {
        let target = dHistory + entry * d
        target.update(repeating: 0, count: d)
        S.axpy(d, saved.attention[entry], row, target)
        S.axpy(d, 1 / S(end - start), row + d, target)
        dScores[entry] = S.dot(d, row, saved.history + entry * d)
      }
      Softmax.backward(
        dx: dScores + start, dy: dScores + start, y: saved.attention + start, rows: 1,
        width: end - start, scale: 1)
    }
    guard entries > 0 else { return }
    S.gemv(
      transpose: true, rows: entries, columns: d, alpha: 1, a: saved.activated, lda: d,
      x: dScores, beta: 1, y: gradients[query])
    let dInner: UnsafeMutablePointer<S> = arena.take(entries * d)
    for entry in 0..<entries {
      let target = dInner + entry * d
      target.update(repeating: 0, count: d)
      S.axpy(d, dScores[entry], weights[query], target)
    }
    BiasActivation.backward(
      dz: dInner, dy: dInner, z: saved.z, count: entries * d, kind: .tanh)
    Linear.backward(
      dx: dHistory, accumulate: true, dWeight: gradients[key], dBias: gradients[keyBias],
      dy: dInner, x: saved.history, weight: weights[key], rows: entries, inputs: d, outputs: d)
  }
}
