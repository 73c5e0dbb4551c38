import Datasets
import Kernels

/// The methods that a fine-tuned model is compared with, by the names of bench/baselines.py; the same
/// formulas and the same hyper-parameters.
public enum Baseline: String, Sendable, Codable, CaseIterable {
  /// Scores that say nothing.
  case random
  /// The number of training positives.
  case popularity
  /// Cosine of an item's TF-IDF words with the sum of the history's.
  case tfidfProfile = "tfidf_profile"
  /// Summed cosines to the history, over the 50 nearest warm items by TF-IDF words.
  case tfidfKNN = "tfidf_knn"
  /// Implicit ALS, 128 factors.
  case als
  /// ALS whose cold items have factors predicted from 300 latent dimensions of their words.
  case alsRidge = "als_tfidf_ridge"
  /// EASE with a penalty of 200.
  case ease
  /// EASE spread over the 20 nearest warm items by words.
  case easeSpread = "ease_tfidf_spread"
}

/// Fits baselines to the training positives of a split; what several need is fitted once.
struct BaselineFitter {
  let split: EvaluationSplit
  let items: IDTable
  let texts: [String]
  let seed: UInt64
  let workers: Workers
  private var words: SparseMatrix?
  private var ease: ItemWeights?
  private var als: ImplicitALS?

  init(
    split: EvaluationSplit, items: IDTable, texts: [String], seed: UInt64, workers: Workers
  ) {
    self.split = split
    self.items = items
    self.texts = texts
    self.seed = seed
    self.workers = workers
  }

  /// The scorer of the split's evaluated users, and what was chosen in fitting.
  mutating func fit(_ method: Baseline) throws -> (scorer: any UserScorer, notes: [String]) {
    switch method {
    case .random:
      return (
        RandomScorer(
          seeds: split.evaluated.map { portableHash("\(seed)|random|\(split.users[Int($0)])") },
          itemCount: split.itemCount), []
      )
    case .popularity: return (Popularity(split.train), [])
    case .tfidfProfile: return (ProfileScorer(try fittedWords()), [])
    case .tfidfKNN:
      let all = (0..<Int32(split.itemCount)).map { $0 }
      let near = Neighbours.find(
        try fittedWords(), queries: all, candidates: split.warmItems, k: 50, workers: workers)
      return (ItemKNN.weights(near), [])
    case .als:
      let model = try fittedALS()
      return (FactorScorer(users: evaluatedFactors(model), items: model.itemFactors), [])
    case .alsRidge: return try ridge()
    case .ease:
      let model = try fittedEASE()
      return (model, easeNotes(model))
    case .easeSpread:
      let model = try fittedEASE()
      let near = Neighbours.find(
        try fittedWords(), queries: split.coldItems, candidates: split.warmItems, k: 20,
        workers: workers)
      return (
        NeighbourSpread(model, targets: split.coldItems, neighbours: near), easeNotes(model)
      )
    }
  }

  private mutating func fittedWords() throws -> SparseMatrix {
    if let words { return words }
    let fitted = try TFIDF.fit(texts).vectors
    words = fitted
    return fitted
  }

  /// All weights of small catalogues, the strongest of large ones: 1 GB at most.
  private mutating func fittedEASE() throws -> ItemWeights {
    if let ease { return ease }
    var options = EASE.Options()
    options.keep = split.warmItems.count <= 6000 ? 6000 : 1000
    let fitted = try EASE.fit(split.train, options: options, workers: workers)
    ease = fitted
    return fitted
  }

  private func easeNotes(_ model: ItemWeights) -> [String] {
    guard model.keptShare < 0.9999 else { return [] }
    return [
      "the strongest weights of each item, \((1000 * model.keptShare).rounded() / 10)% of all"
    ]
  }

  private mutating func fittedALS() throws -> ImplicitALS {
    if let als { return als }
    var generator = SeededGenerator(seed: seed, stream: 0x414C_5300)
    let fitted = try ImplicitALS.fit(split.train, using: &generator, workers: workers)
    als = fitted
    return fitted
  }

  private func evaluatedFactors(_ model: ImplicitALS) -> DenseMatrix {
    model.userFactors.selectingRows(split.evaluated)
  }

  /// Cold items get factors predicted from their words; the penalty is chosen on a tenth of the warm
  /// items, by the hash of their ids.
  private mutating func ridge() throws -> (scorer: any UserScorer, notes: [String]) {
    let model = try fittedALS()
    let words = try fittedWords()
    var generator = SeededGenerator(seed: seed, stream: 0x4C53_4100)
    let lsa = try LSA.fit(words, using: &generator, workers: workers)
    let vectors = lsa.transform(words, workers: workers).normalizingRows()
    var heldOut = split.warmItems.map { portableHash("ridge|\(items[Int($0)])") % 10 == 0 }
    let held = heldOut.reduce(0) { $0 + ($1 ? 1 : 0) }
    if held < 5 || heldOut.count - held < 10 { heldOut = heldOut.indices.map { $0 % 5 == 0 } }
    let fitted = try RidgeToFactors.fit(
      vectors: vectors.selectingRows(split.warmItems),
      itemFactors: model.itemFactors.selectingRows(split.warmItems),
      userFactors: model.userFactors, histories: split.train.selectingColumns(split.warmItems),
      heldOut: heldOut, workers: workers)
    let predicted = fitted.regression.predict(
      vectors.selectingRows(split.coldItems), workers: workers)
    var factors = model.itemFactors
    for (row, item) in split.coldItems.enumerated() {
      for c in 0..<factors.columnCount { factors[Int(item), c] = predicted[row, c] }
    }
    return (
      FactorScorer(users: evaluatedFactors(model), items: factors),
      ["penalty \(fitted.penalty), held-out NDCG@20 \(fixed(fitted.heldOutNDCG, 4))"]
    )
  }
}

/// Uniform scores, the same for the same user whenever they are asked for.
private struct RandomScorer: UserScorer {
  let seeds: [UInt64]
  let itemCount: Int

  func score(
    _ histories: SparseMatrix, rows: Range<Int>, into scores: UnsafeMutablePointer<Float>
  ) {
    for row in rows {
      var generator = SeededGenerator(seed: seeds[row])
      let line = scores + (row - rows.lowerBound) * itemCount
      for item in 0..<itemCount { line[item] = generator.uniformFloat() }
    }
  }
}
