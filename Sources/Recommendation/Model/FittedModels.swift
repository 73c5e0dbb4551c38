public import EncoderModel
public import Kernels

/// Everything that fine-tuning has learned, apart from the encoder.
public struct FittedModels: Sendable {
  /// EASE's item-item weights, over the catalogue.
  public var ease: ItemWeights
  /// The penalty that EASE was solved with; nil for models that don't say it.
  public var easePenalty: Double?
  /// ALS item factors, over the catalogue; its user factors are empty, users are folded in.
  public var als: ImplicitALS
  /// Predicts ALS factors from whitened text vectors; nil where too few items taught it.
  public var ridge: RidgeRegression?
  /// TF-IDF of the catalogue's words.
  public var words: TFIDF
  /// Turns text vectors and features into tower inputs; its whitening is the text space.
  public var assembly: ItemInputAssembly
  /// The towers.
  public var network: TowerNetwork
  /// Their weights.
  public var towers: ParameterStore<Float>
}

/// The items of a catalogue in every representation that scoring needs.
///
/// Row i is item i.
public struct ItemSpace: Sendable {
  /// Pooled vectors of the base encoder, (items, raw width).
  public var raw: DenseMatrix
  /// Tower inputs; through the adapters where there are some.
  public var inputs: DenseMatrix
  /// Whitened unit vectors of the base encoder.
  public var white: DenseMatrix
  /// TF-IDF rows.
  public var words: SparseMatrix
  /// Item tower vectors, unit rows.
  public var towerVectors: DenseMatrix
  /// Behaviours of each item in training, 0 for new ones.
  public var counts: [Float]
  /// Weights of each item's nearest warm items in whitened text space; rows sum to 1.
  public var textNeighbours: SparseMatrix
  /// The same by words.
  public var wordNeighbours: SparseMatrix
  /// Cosines to the nearest warm items by words, for the neighbour model.
  public var wordCosines: SparseMatrix
  /// Weights of each item's nearest warm items by kernel ridge regression.
  public var kernelWeights: SparseMatrix

  /// Number of items.
  public var count: Int { counts.count }

  /// Neighbours a spread looks at, and neighbours of the neighbour model; as the baselines have them.
  static let spreadNeighbours = 20
  static let modelNeighbours = 50
  /// What an item of the history counts beside EASE's score in the regression: EASE has learned most of
  /// it already, so half is better than all or nothing.
  static let kernelHistoryShare: Float = 0.5

  /// Finds the neighbours of `queries` among the warm items.
  static func neighbours(
    white: DenseMatrix, words: SparseMatrix, queries: [Int32], counts: [Float], workers: Workers
  ) -> ItemNeighbourhoods {
    let warm = counts.indices.filter { counts[$0] > 0 }.map { Int32($0) }
    let regression = LocalKernelRidge()
    let text = Neighbours.find(
      white, queries: queries, candidates: warm, k: regression.candidates, workers: workers)
    let near = Neighbours.find(
      words, queries: queries, candidates: warm, k: regression.candidates, workers: workers)
    let count = counts.count
    let unit = LocalKernelRidge.Texts(
      white: white.normalizingRows(), words: words.normalizingRows())
    return ItemNeighbourhoods(
      text: text.nearest(spreadNeighbours).matrix(itemCount: count, normalized: true),
      words: near.nearest(spreadNeighbours).matrix(itemCount: count, normalized: true),
      cosines: near.nearest(modelNeighbours).matrix(itemCount: count),
      kernel: regression.weights(
        of: .init(
          white: unit.white.selectingRows(queries), words: unit.words.selectingRows(queries)),
        among: unit, near: text.lists.joined(with: near.lists), workers: workers))
  }
}

/// The neighbourhoods of some items among the warm ones, a row an item.
struct ItemNeighbourhoods {
  var text: SparseMatrix
  var words: SparseMatrix
  var cosines: SparseMatrix
  var kernel: SparseMatrix
}

extension FittedModels {
  /// The scorers of the given parts over a catalogue.
  ///
  /// - Parameter userFeatures: features of the users whose histories will be scored, row by row.
  /// - Throws: `ALSError` when users can't be folded in.
  func scorers(
    _ parts: [ScorePart], space: ItemSpace, userFeatures: DenseMatrix?, workers: Workers
  ) throws -> [(part: ScorePart, scorer: any UserScorer)] {
    var foldIn: FactorFoldIn?
    if parts.contains(.als) || parts.contains(.ridge) {
      foldIn = try als.userFoldIn(workers: workers)
    }
    return parts.compactMap { part -> (part: ScorePart, scorer: any UserScorer)? in
      switch part {
      case .ease: (part, ease)
      case .popularity: (part, Popularity(counts: space.counts))
      case .als:
        foldIn.map { (part, FactorScorer(foldIn: $0, items: als.itemFactors)) }
      case .ridge:
        zip(foldIn, ridge).map { fold, ridge in
          (
            part,
            FactorScorer(foldIn: fold, items: ridge.predict(space.white, workers: workers))
          )
        }
      case .textSpread: (part, NeighbourSpread(ease, weights: space.textNeighbours))
      case .textKernel:
        (
          part,
          NeighbourSpread(
            ease, weights: space.kernelWeights, historyShare: ItemSpace.kernelHistoryShare)
        )
      case .wordSpread: (part, NeighbourSpread(ease, weights: space.wordNeighbours))
      case .textProfile: (part, ProfileScorer(space.white))
      case .wordNeighbours: (part, ItemWeights(weights: space.wordCosines.transposed()))
      case .tower:
        (
          part,
          TowerScorer(
            network: network, weights: towers, itemVectors: space.towerVectors,
            embeddingRows: embeddingRows(space), userFeatures: userFeatures)
        )
      }
    }
  }

  /// Each item's row in the history embeddings; -1 for items that came after training.
  func embeddingRows(_ space: ItemSpace) -> [Int32] {
    let trained = network.configuration.historyItems
    return (0..<space.count).map { $0 < trained && space.counts[$0] > 0 ? Int32($0) : -1 }
  }

  private func zip<A, B>(_ a: A?, _ b: B?) -> (A, B)? {
    guard let a, let b else { return nil }
    return (a, b)
  }
}
