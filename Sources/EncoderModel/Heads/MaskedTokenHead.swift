public import Kernels

/// The masked-language-modelling head of `BertForMaskedLM`.
///
/// Its decoder is tied to the word embeddings, unless a public checkpoint comes with one of its own.
/// It runs on the masked positions only, and in blocks of rows, so that the logits of a large
/// vocabulary never stand in memory all at once.
public struct MaskedTokenHead: Sendable {
  let denseWeight: TensorHandle
  let denseBias: TensorHandle
  let normWeight: TensorHandle
  let normBias: TensorHandle
  let decoderBias: TensorHandle
  let decoderWeight: TensorHandle
  /// Whether the decoder's matrix is the table of word embeddings.
  public let tiesDecoder: Bool
  let configuration: EncoderConfiguration
  static let blockRows = 256

  /// Declares the head's tensors under Hugging Face's names.
  public init(_ encoder: TextEncoder, tiesDecoder: Bool = true, in table: inout ParameterTable) {
    configuration = encoder.configuration
    self.tiesDecoder = tiesDecoder
    let width = configuration.hiddenSize
    decoderBias = table.declare("cls.predictions.bias", configuration.vocabularySize)
    denseWeight = table.declare("cls.predictions.transform.dense.weight", width, width)
    denseBias = table.declare("cls.predictions.transform.dense.bias", width)
    normWeight = table.declare("cls.predictions.transform.LayerNorm.weight", width)
    normBias = table.declare("cls.predictions.transform.LayerNorm.bias", width)
    decoderWeight =
      tiesDecoder
      ? encoder.wordEmbeddings
      : table.declare("cls.predictions.decoder.weight", configuration.vocabularySize, width)
  }

  /// Result of one pass: the summed loss in nats and how many targets had the largest logit.
  public struct Outcome: Sendable {
    /// Cross-entropy summed over the masked positions, in nats.
    public var loss: Double
    /// Masked positions whose most probable token is the right one.
    public var correct: Int
  }

  /// Loss on `positions` of `hidden`; with `gradients`, adds weight gradients and the gradient of the
  /// hidden states into `dHidden` (tokens, H), each scaled by `gradientScale`.
  public func run<S: KernelScalar>(
    hidden: UnsafePointer<S>, positions: [Int32], targets: [Int32], weights: ParameterStore<S>,
    gradients: ParameterStore<S>?, dHidden: UnsafeMutablePointer<S>?, gradientScale: S,
    arena: Arena<S>
  ) -> Outcome {
    var outcome = Outcome(loss: 0, correct: 0)
    for start in stride(from: 0, to: positions.count, by: MaskedTokenHead.blockRows) {
      let block = start..<min(start + MaskedTokenHead.blockRows, positions.count)
      let mark = arena.mark
      let part = runBlock(
        hidden: hidden, positions: positions[block], targets: targets[block], weights: weights,
        gradients: gradients, dHidden: dHidden, gradientScale: gradientScale, arena: arena)
      outcome.loss += part.loss
      outcome.correct += part.correct
      arena.release(to: mark)
    }
    return outcome
  }

  private struct Transformed<S: KernelScalar> {
    let rows: Int
    let x: UnsafeMutablePointer<S>
    let z: UnsafeMutablePointer<S>
    let activated: UnsafeMutablePointer<S>
    let y: UnsafeMutablePointer<S>
    let mean: UnsafeMutablePointer<S>
    let rstd: UnsafeMutablePointer<S>
  }

  private func transform<S: KernelScalar>(
    hidden: UnsafePointer<S>, positions: ArraySlice<Int32>, weights: ParameterStore<S>,
    arena: Arena<S>
  ) -> Transformed<S> {
    let (rows, width) = (positions.count, configuration.hiddenSize)
    let t = Transformed<S>(
      rows: rows, x: arena.take(rows * width), z: arena.take(rows * width),
      activated: arena.take(rows * width), y: arena.take(rows * width), mean: arena.take(rows),
      rstd: arena.take(rows))
    for (row, position) in positions.enumerated() {
      (t.x + row * width).update(from: hidden + Int(position) * width, count: width)
    }
    Linear.forward(
      y: t.z, x: t.x, weight: weights[denseWeight], bias: nil, rows: rows, inputs: width,
      outputs: width)
    BiasActivation.forward(
      y: t.activated, z: t.z, bias: weights[denseBias], rows: rows, width: width,
      kind: configuration.activation.kind)
    LayerNorm.forward(
      y: t.y, mean: t.mean, rstd: t.rstd, x: t.activated, weight: weights[normWeight],
      bias: weights[normBias], rows: rows, width: width,
      epsilon: S(configuration.layerNormEpsilon))
    return t
  }

  /// Logits of the given positions, (positions, vocabulary), in the arena.
  public func logits<S: KernelScalar>(
    hidden: UnsafePointer<S>, positions: [Int32], weights: ParameterStore<S>, arena: Arena<S>
  ) -> UnsafeMutablePointer<S> {
    let logits: UnsafeMutablePointer<S> = arena.take(
      positions.count * configuration.vocabularySize)
    let t = transform(hidden: hidden, positions: positions[...], weights: weights, arena: arena)
    decode(logits, t, weights)
    return logits
  }

  private func decode<S: KernelScalar>(
    _ logits: UnsafeMutablePointer<S>, _ t: Transformed<S>, _ weights: ParameterStore<S>
  ) {
    Linear.forward(
      y: logits, x: t.y, weight: weights[decoderWeight], bias: weights[decoderBias],
      rows: t.rows, inputs: configuration.hiddenSize, outputs: configuration.vocabularySize)
  }

  private func runBlock<S: KernelScalar>(
    hidden: UnsafePointer<S>, positions: ArraySlice<Int32>, targets: ArraySlice<Int32>,
    weights: ParameterStore<S>, gradients: ParameterStore<S>?,
    dHidden: UnsafeMutablePointer<S>?, gradientScale: S, arena: Arena<S>
  ) -> Outcome {
    let (width, classes) = (configuration.hiddenSize, configuration.vocabularySize)
    let t = transform(hidden: hidden, positions: positions, weights: weights, arena: arena)
    let logits: UnsafeMutablePointer<S> = arena.take(t.rows * classes)
    decode(logits, t, weights)
    let (loss, correct) = targets.withUnsafeBufferPointer { buffer -> (Double, Int) in
      guard let base = buffer.baseAddress else { return (0, 0) }
      return SoftmaxCrossEntropy.forwardBackward(
        logits: logits, targets: base, rows: t.rows, classes: classes,
        gradientScale: gradients == nil ? nil : gradientScale)
    }
    guard let gradients, let dHidden else { return Outcome(loss: loss, correct: correct) }
    let dy: UnsafeMutablePointer<S> = arena.take(t.rows * width)
    Linear.backward(
      dx: dy, accumulate: false, dWeight: gradients[decoderWeight],
      dBias: gradients[decoderBias], dy: logits, x: t.y, weight: weights[decoderWeight],
      rows: t.rows, inputs: width, outputs: classes)
    LayerNorm.backward(
      dx: dy, accumulate: false, dWeight: gradients[normWeight], dBias: gradients[normBias],
      dy: dy, x: t.activated, mean: t.mean, rstd: t.rstd, weight: weights[normWeight],
      rows: t.rows, width: width)
    BiasActivation.backward(
      dz: dy, dy: dy, z: t.z, count: t.rows * width, kind: configuration.activation.kind)
    let dx: UnsafeMutablePointer<S> = arena.take(t.rows * width)
    Linear.backward(
      dx: dx, accumulate: false, dWeight: gradients[denseWeight], dBias: gradients[denseBias],
      dy: dy, x: t.x, weight: weights[denseWeight], rows: t.rows, inputs: width, outputs: width)
    for (row, position) in positions.enumerated() {
      S.axpy(width, 1, dx + row * width, dHidden + Int(position) * width)
    }
    return Outcome(loss: loss, correct: correct)
  }
}
