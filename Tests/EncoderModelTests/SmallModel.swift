import EncoderModel
import Kernels

/// A model of some thousand weights with adapters, both heads and a batch of uneven sequences, all
/// drawn from a seed: small enough to differentiate numerically in every weight.
final class SmallModel<S: KernelScalar> {
  let encoder: TextEncoder
  let masked: MaskedTokenHead
  let bag: BagOfWordsHead
  let weights: ParameterStore<S>
  let gradients: ParameterStore<S>
  let stack: AdapterStack<S>
  let adapterGradients: ParameterStore<S>
  let arena = Arena<S>(capacity: 1 << 20)
  let batch: PackedBatch

  init(
    seed: UInt64 = 1, activation: EncoderConfiguration.Activation = .gelu, layers: Int = 2,
    lengths: [Int] = [5, 1, 7, 3]
  ) {
    BLAS.useSingleThread()
    var table = ParameterTable()
    encoder = TextEncoder(
      EncoderConfiguration(
        vocabularySize: 11, hiddenSize: 8, layerCount: layers, headCount: 2, intermediateSize: 12,
        activation: activation, maximumPositions: 8), in: &table)
    masked = MaskedTokenHead(encoder, in: &table)
    bag = BagOfWordsHead(encoder, in: &table)
    weights = ParameterStore(table)
    gradients = ParameterStore(table)
    var adapterTable = ParameterTable()
    let adapters = (0..<layers).map {
      BottleneckAdapter(name: "item", layer: $0, width: 8, bottleneck: 3, in: &adapterTable)
    }
    stack = AdapterStack(adapters: adapters, weights: ParameterStore(adapterTable))
    adapterGradients = ParameterStore(adapterTable)

    var generator = SplitMix64(seed)
    for store in [weights, stack.weights] {
      Initialization.fillNormal(store.values, deviation: 0.4, using: &generator)
      for entry in store.table.entries where entry.name.hasSuffix("LayerNorm.weight") {
        for i in 0..<entry.count { store[entry][i] += 1 }
      }
    }
    var batch = PackedBatch()
    for length in lengths {
      batch.append(
        (0..<length).map { _ in Int32.random(in: 0..<11, using: &generator) },
        typeIDs: (0..<length).map { _ in Int32.random(in: 0..<2, using: &generator) })
    }
    self.batch = batch
  }

  /// Elements of the hidden states of a batch.
  func count(_ batch: PackedBatch) -> Int { batch.tokenCount * encoder.configuration.hiddenSize }

  /// The last layer's output without dropout.
  func infer(_ batch: PackedBatch, adapted: Bool = true) -> [S] {
    arena.reset()
    let hidden = encoder.infer(
      batch, weights: weights, adapters: adapted ? stack : nil, arena: arena)
    return array(hidden, count(batch))
  }

  /// The last layer's output as training computes it.
  func forward(_ batch: PackedBatch, adapted: Bool = true, dropout: DropoutPlan? = nil) -> [S] {
    arena.reset()
    let saved = encoder.forward(
      batch, weights: weights, adapters: adapted ? stack : nil, arena: arena, dropout: dropout)
    return array(saved.output, count(batch))
  }
}
