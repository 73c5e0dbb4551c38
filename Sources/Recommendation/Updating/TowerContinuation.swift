import Datasets
import EncoderModel
import Kernels

/// Trains towers and adapters further, from the weights that they have.
struct TowerContinuation {
  let recommender: Recommender
  let options: UpdateOptions
  let workers: Workers
  private let trainer: TowerTrainer
  private let events: [(user: Int32, item: Int32)]

  /// Prepares training on new events and a sample of the old ones.
  ///
  /// - Parameters:
  ///   - recommender: with all positives, the new ones among them, as histories.
  ///   - new: the new positives.
  ///   - old: the positives that the present weights have learnt from.
  init(
    _ recommender: Recommender, new: [(user: Int32, item: Int32)], old: SparseMatrix,
    options: UpdateOptions, workers: Workers
  ) {
    self.recommender = recommender
    self.options = options
    self.workers = workers
    var configuration = recommender.models.network.configuration
    configuration.historyItems = recommender.items.count
    var towers = recommender.options.towers
    towers.learningRate *= options.rateFactor
    towers.seed = options.seed
    trainer = TowerTrainer(
      network: TowerNetwork(configuration),
      data: TowerData(
        itemInputs: recommender.space.inputs, userFeatures: recommender.userFeatures,
        positives: recommender.histories, labelled: TowerData.LabelledRows()),
      options: towers, workers: workers)
    TowerContinuation.copy(recommender.models.towers, to: trainer.weights)
    var generator = SeededGenerator(seed: options.seed, stream: 0x5550_4441)
    let replayed = TowerContinuation.sample(
      old, count: Int(options.replay * Double(new.count)), using: &generator)
    let histories = recommender.histories
    // A history that is empty without its target teaches nothing, unless features speak for the user.
    events = (new + replayed).filter {
      histories.columns(ofRow: Int($0.user)).count > 1 || recommender.userFeatures != nil
    }
  }

  /// The recommender with towers trained for the options' epochs.
  func trainingTowers() -> Recommender {
    for epoch in 0..<options.epochs {
      _ = trainer.runEpoch(epoch, events: shuffled(epoch))
    }
    return result(space: recommender.space, adapters: nil)
  }

  /// The recommender with adapters trained for some steps, on top of the towers as they are now.
  ///
  /// - Throws: `TrainingError` when the cache of hidden states can't be written.
  func trainingAdapters() throws -> Recommender {
    guard let present = recommender.adapters else { return recommender }
    let model = recommender.model
    let features = recommender.ownFeatures
    let learning = ParameterStore<Float>(present.weights.table)
    learning.copy(from: present.weights)
    let stack = present.with(weights: learning)
    stack.refresh()
    let first = stack.firstLayer(of: model.encoder)
    let sequences = recommender.ownSequences(workers)
    let cache = try HiddenStateCache.below(
      stack, sequences, encoder: model.encoder, weights: model.weights, workers: workers)
    let texts = ItemTextEncoder(
      encoder: model.encoder, weights: model.weights, adapters: stack,
      pooling: recommender.pooling)
    let assembly = recommender.models.assembly
    let adapters = AdapterTrainer(
      towers: trainer, texts: texts, assembly: assembly, cache: cache, sequences: sequences,
      features: features, firstLayer: first,
      optimizer: AdapterTrainer.makeOptimizer(stack, workers: workers),
      learningRate: options.rateFactor
        * (recommender.options.adapters.learningRate
          ?? recommender.options.adapterKind.learningRate),
      options: recommender.options.adapters)
    var steps = 0
    _ = adapters.runEpoch(0, events: shuffled(options.epochs)) {
      steps += 1
      return steps > options.adapterSteps
    }
    var space = recommender.space
    let raw =
      cache.map { texts.vectors(sequences, cache: $0, firstLayer: first, workers: workers) }
      ?? texts.vectors(sequences, workers: workers)
    space.inputs = assembly.inputs(raw: raw, features: features, workers: workers)
    return result(space: space, adapters: stack)
  }

  private func shuffled(_ epoch: Int) -> [(user: Int32, item: Int32)] {
    var generator = SeededGenerator(seed: options.seed, stream: UInt64(epoch) &+ 0x5550_4556)
    return events.shuffled(using: &generator)
  }

  /// A copy of the weights as they are now, with the item vectors that they give.
  private func result(space: ItemSpace, adapters: AdapterStack<Float>?) -> Recommender {
    let weights = ParameterStore<Float>(trainer.network.table)
    weights.copy(from: trainer.weights)
    var (space, models) = (space, recommender.models)
    models.network = trainer.network
    models.towers = weights
    space.towerVectors = trainer.network.itemVectors(
      space.inputs, weights: weights, workers: workers)
    return recommender.replacing(
      userFeatures: recommender.userFeatures, adapters: adapters, models: models, space: space)
  }

  /// Copies weights by name; items that came after them get embeddings of zeros.
  static func copy(_ from: ParameterStore<Float>, to: ParameterStore<Float>) {
    for entry in to.table.entries {
      guard let source = from.table[entry.name] else { continue }
      to[entry].update(from: from[source], count: min(entry.count, source.count))
      if entry.count > source.count {
        (to[entry] + source.count).update(repeating: 0, count: entry.count - source.count)
      }
    }
  }

  /// Entries of a matrix drawn without replacement, in the order of the matrix.
  static func sample(
    _ matrix: SparseMatrix, count: Int, using generator: inout SeededGenerator
  ) -> [(user: Int32, item: Int32)] {
    var (wanted, left) = (min(count, matrix.entryCount), matrix.entryCount)
    var result: [(user: Int32, item: Int32)] = []
    for user in 0..<matrix.rowCount {
      for item in matrix.columns(ofRow: user) {
        // Selection sampling (Knuth, volume 2, algorithm S).
        if generator.uniform(below: left) < wanted {
          result.append((Int32(user), item))
          wanted -= 1
        }
        left -= 1
      }
    }
    return result
  }
}

extension Recommender {
  /// The same, with the towers' inputs as the adapters give them.
  ///
  /// A directory holds the base's vectors, and loading makes the inputs of those: only training reads them.
  package func withInputsOfAdapters(workers: Workers) -> Recommender {
    guard let adapters else { return self }
    let raw = ItemTextEncoder(
      encoder: model.encoder, weights: model.weights, adapters: adapters, pooling: pooling
    ).vectors(ownSequences(workers), workers: workers)
    var space = space
    space.inputs = models.assembly.inputs(
      raw: raw, features: ownFeatures, workers: workers)
    return replacing(userFeatures: userFeatures, space: space)
  }

  /// Token ids of the items' texts.
  fileprivate func ownSequences(_ workers: Workers) -> [[Int32]] {
    model.tokenizer.encodeBatch(
      items.texts, maximumLength: maximumLength, threads: workers.count)
  }

  /// Columns of the items and their vectors from elsewhere, a row an item.
  fileprivate var ownFeatures: DenseMatrix? {
    DenseMatrix.beside(features(of: items), vectorFeatures)
  }
}
