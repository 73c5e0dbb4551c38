internal import Kernels

/// Word, position and token type embeddings, summed and normalised: tokens -> (tokens, H).
public struct InputEmbeddings: Sendable {
  let word: TensorHandle
  let position: TensorHandle
  let type: TensorHandle
  let normWeight: TensorHandle
  let normBias: TensorHandle
  let width: Int
  let epsilon: Double

  init(_ configuration: EncoderConfiguration, in table: inout ParameterTable) {
    let c = configuration
    width = c.hiddenSize
    epsilon = c.layerNormEpsilon
    word = table.declare("embeddings.word_embeddings.weight", c.vocabularySize, width)
    position = table.declare("embeddings.position_embeddings.weight", c.maximumPositions, width)
    type = table.declare("embeddings.token_type_embeddings.weight", c.tokenTypeCount, width)
    normWeight = table.declare("embeddings.LayerNorm.weight", width)
    normBias = table.declare("embeddings.LayerNorm.bias", width)
  }

  /// The tensors in groups that are differentiated together.
  var gradientGroups: [[TensorHandle]] { [[word, position, type], [normWeight], [normBias]] }

  /// What the backward pass needs: the sum before LayerNorm and its row statistics.
  struct Saved<S: KernelScalar> {
    let sum: UnsafeMutablePointer<S>
    let mean: UnsafeMutablePointer<S>
    let rstd: UnsafeMutablePointer<S>
  }

  func forward<S: KernelScalar>(
    _ y: UnsafeMutablePointer<S>, batch: PackedBatch, weights: ParameterStore<S>, arena: Arena<S>,
    dropout: DropoutPlan?
  ) -> Saved<S> {
    let rows = batch.tokenCount
    let saved = Saved(
      sum: arena.take(rows * width), mean: arena.take(rows), rstd: arena.take(rows))
    withTokens(batch) { ids, positions, types in
      Embedding.forward(
        y: saved.sum, ids: ids, positions: positions, types: types, word: weights[word],
        position: weights[position], type: weights[type], rows: rows, width: width)
    }
    LayerNorm.forward(
      y: y, mean: saved.mean, rstd: saved.rstd, x: saved.sum, weight: weights[normWeight],
      bias: weights[normBias], rows: rows, width: width, epsilon: S(epsilon))
    dropout?.dropout(.embeddings, layer: 0)?.apply(y, count: rows * width)
    return saved
  }

  /// Adds the gradients of the tables that have a place for them; `dy` is overwritten.
  func backward<S: KernelScalar>(
    dy: UnsafeMutablePointer<S>, saved: Saved<S>, batch: PackedBatch, weights: ParameterStore<S>,
    gradients: GradientSink<S>, dropout: DropoutPlan?
  ) {
    let rows = batch.tokenCount
    dropout?.dropout(.embeddings, layer: 0)?.apply(dy, count: rows * width)
    LayerNorm.backward(
      dx: dy, accumulate: false, dWeight: gradients[normWeight], dBias: gradients[normBias],
      dy: dy, x: saved.sum, mean: saved.mean, rstd: saved.rstd, weight: weights[normWeight],
      rows: rows, width: width)
    guard let dWord = gradients[word], let dPosition = gradients[position],
      let dType = gradients[type]
    else { return }
    withTokens(batch) { ids, positions, types in
      Embedding.backward(
        dWord: dWord, dPosition: dPosition, dType: dType, dy: dy,
        ids: ids, positions: positions, types: types, rows: rows, width: width)
    }
  }

  private func withTokens(
    _ batch: PackedBatch,
    _ body: (UnsafePointer<Int32>, UnsafePointer<Int32>, UnsafePointer<Int32>?) -> Void
  ) {
    batch.ids.withUnsafeBufferPointer { ids in
      batch.positions.withUnsafeBufferPointer { positions in
        guard let idBase = ids.baseAddress, let positionBase = positions.baseAddress else { return }
        if let types = batch.typeIDs {
          types.withUnsafeBufferPointer { body(idBase, positionBase, $0.baseAddress) }
        } else {
          body(idBase, positionBase, nil)
        }
      }
    }
  }
}
