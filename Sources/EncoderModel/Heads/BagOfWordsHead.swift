public import Kernels

/// Predicts, from a text's pooled vector, which pieces occur in it: a softmax over the vocabulary
/// against an idf-weighted bag of its pieces, decoder tied to the word embeddings.
///
/// It trains what MLM leaves to chance, the geometry of the pooled vector; after Ma et al. 2024,
/// "Drop your Decoder: Pre-training with Bag-of-Word Prediction for Dense Passage Retrieval".
public struct BagOfWordsHead: Sendable {
  let denseWeight: TensorHandle
  let denseBias: TensorHandle
  let decoderBias: TensorHandle
  let wordEmbeddings: TensorHandle
  let width: Int
  let classes: Int

  /// Declares the head's tensors.
  public init(_ encoder: TextEncoder, in table: inout ParameterTable) {
    width = encoder.configuration.hiddenSize
    classes = encoder.configuration.vocabularySize
    wordEmbeddings = encoder.wordEmbeddings
    denseWeight = table.declare("bag_of_words.dense.weight", width, width)
    denseBias = table.declare("bag_of_words.dense.bias", width)
    decoderBias = table.declare("bag_of_words.decoder.bias", classes)
  }

  /// Sparse target distributions, one a text, in CSR form; the weights of a row sum to 1.
  public struct Targets<S: KernelScalar>: Sendable {
    /// Where each text's pieces begin in `columns`, and the end: (texts + 1), first 0.
    public var offsets: [Int32] = [0]
    /// Token ids.
    public var columns: [Int32] = []
    /// Their weights.
    public var weights: [S] = []

    /// Creates targets for no text.
    public init() {}
  }

  /// Cross-entropy summed over texts, in nats; with `gradients`, adds weight gradients and writes the
  /// gradient of `pooled` (texts, H) into `dPooled`, scaled by `gradientScale`.
  public func run<S: KernelScalar>(
    pooled: UnsafePointer<S>, targets: Targets<S>, weights: ParameterStore<S>,
    gradients: ParameterStore<S>?, dPooled: UnsafeMutablePointer<S>?, gradientScale: S,
    arena: Arena<S>
  ) -> Double {
    let rows = targets.offsets.count - 1
    guard rows > 0, !targets.columns.isEmpty else {
      dPooled?.update(repeating: 0, count: rows * width)
      return 0
    }
    let mark = arena.mark
    defer { arena.release(to: mark) }
    let hidden: UnsafeMutablePointer<S> = arena.take(rows * width)
    let logits: UnsafeMutablePointer<S> = arena.take(rows * classes)
    Linear.forward(
      y: hidden, x: pooled, weight: weights[denseWeight], bias: weights[denseBias], rows: rows,
      inputs: width, outputs: width)
    Linear.forward(
      y: logits, x: hidden, weight: weights[wordEmbeddings], bias: weights[decoderBias],
      rows: rows, inputs: width, outputs: classes)
    let loss = targets.offsets.withUnsafeBufferPointer { offsets in
      targets.columns.withUnsafeBufferPointer { columns in
        targets.weights.withUnsafeBufferPointer { values -> Double in
          guard let o = offsets.baseAddress, let c = columns.baseAddress,
            let v = values.baseAddress
          else { return 0 }
          return SoftmaxCrossEntropy.forwardBackwardSparse(
            logits: logits, targetOffsets: o, targetColumns: c, targetWeights: v, rows: rows,
            classes: classes, gradientScale: gradients == nil ? nil : gradientScale)
        }
      }
    }
    guard let gradients, let dPooled else { return loss }
    let dHidden: UnsafeMutablePointer<S> = arena.take(rows * width)
    Linear.backward(
      dx: dHidden, accumulate: false, dWeight: gradients[wordEmbeddings],
      dBias: gradients[decoderBias], dy: logits, x: hidden, weight: weights[wordEmbeddings],
      rows: rows, inputs: width, outputs: classes)
    Linear.backward(
      dx: dPooled, accumulate: false, dWeight: gradients[denseWeight],
      dBias: gradients[denseBias], dy: dHidden, x: pooled, weight: weights[denseWeight],
      rows: rows, inputs: width, outputs: width)
    return loss
  }
}
