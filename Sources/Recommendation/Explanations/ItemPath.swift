import Datasets
import EncoderModel
import Kernels

/// The way from a text's embeddings to the tower's score, forwards and backwards.
struct ItemPath {
  private let recommender: Recommender

  init(_ recommender: Recommender) { self.recommender = recommender }

  /// Scores against a user's vector and their gradients by the embeddings.
  ///
  /// - Parameters:
  ///   - hidden: embeddings of the batch's tokens, (tokens, H).
  ///   - features: (1, featureWidth), or nil.
  /// - Returns: (sequences) scores, and (tokens, H) gradients in the arena.
  func run(
    _ batch: PackedBatch, hidden: UnsafeMutablePointer<Float>, features: DenseMatrix?,
    user: [Float], arena: Arena<Float>
  ) -> (scores: [Float], gradients: UnsafeMutablePointer<Float>) {
    let (model, models) = (recommender.model, recommender.models)
    let (assembly, tower) = (models.assembly, models.network.item)
    let (rows, size) = (batch.sequenceCount, model.configuration.hiddenSize)
    let encoded = model.encoder.forward(
      from: 0, hidden: hidden, batch: batch, weights: model.weights, adapters: recommender.adapters,
      arena: arena, dropout: nil)
    let raw = arena.take(rows * 2 * size)
    let pooled = recommender.pooling.forward(
      raw, hidden: encoded.output, batch: batch, width: size, arena: arena)
    let feature = arena.take(assembly.featureWidth)
    features?.withPointer { feature.update(from: $0, count: assembly.featureWidth) }
    let x = arena.take(rows * assembly.width)
    x.update(repeating: 0, count: rows * assembly.width)
    let assembled = assembly.forward(
      x, raw: raw, rows: rows, features: { _ in features == nil ? nil : UnsafePointer(feature) },
      arena: arena)
    let saved = tower.forward(x: x, rows: rows, weights: models.towers, arena: arena)
    let width = models.network.configuration.width
    let dy = arena.take(rows * width)
    var scores = [Float](repeating: 0, count: rows)
    for row in 0..<rows {
      for d in 0..<width {
        scores[row] += saved.y[row * width + d] * user[d]
        dy[row * width + d] = user[d]
      }
    }
    let dx = arena.take(rows * assembly.width)
    tower.inputGradient(dx, dy: dy, saved: saved, weights: models.towers, arena: arena)
    let dRaw = arena.take(rows * 2 * size)
    assembly.backward(dRaw: dRaw, dx: dx, saved: assembled, rows: rows, arena: arena)
    let dHidden = arena.take(batch.tokenCount * size)
    recommender.pooling.backward(
      dHidden: dHidden, dy: dRaw, saved: pooled, batch: batch, width: size)
    return (
      scores,
      model.encoder.inputGradient(
        dOutput: dHidden, saved: encoded, batch: batch, weights: model.weights,
        adapters: recommender.adapters, arena: arena)
    )
  }
}

extension ItemTower {
  /// Writes the gradient of the inputs alone; `dy` is overwritten.
  func inputGradient(
    _ dx: UnsafeMutablePointer<Float>, dy: UnsafeMutablePointer<Float>, saved: Saved<Float>,
    weights: ParameterStore<Float>, arena: Arena<Float>
  ) {
    let (c, rows) = (configuration, saved.rows)
    L2Normalize.backward(
      dx: dy, accumulate: false, dy: dy, y: saved.y, norm: saved.norm, rows: rows, width: c.width)
    let dHidden = arena.take(rows * c.hidden)
    Linear.backward(
      dx: dHidden, accumulate: false, dWeight: nil, dBias: nil, dy: dy, x: saved.activated,
      weight: weights[outputWeight], rows: rows, inputs: c.hidden, outputs: c.width)
    BiasActivation.backward(
      dz: dHidden, dy: dHidden, z: saved.z, count: rows * c.hidden, kind: .gelu)
    Linear.backward(
      dx: dx, accumulate: false, dWeight: nil, dBias: nil, dy: dy, x: saved.x,
      weight: weights[linear], rows: rows, inputs: c.itemInputs, outputs: c.width)
    Linear.backward(
      dx: dx, accumulate: true, dWeight: nil, dBias: nil, dy: dHidden, x: saved.x,
      weight: weights[hiddenWeight], rows: rows, inputs: c.itemInputs, outputs: c.hidden)
  }
}

/// One row of a feature table as a table.
enum FeatureRow {
  static func row(_ index: Int, of table: FeatureTable) -> FeatureTable {
    FeatureTable(
      columns: table.columns.map { .init(name: $0.name, values: [$0.values[index]]) },
      rowCount: 1)
  }
}
