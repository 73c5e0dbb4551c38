import EncoderModel
public import Kernels

/// A fine-tuned model made ready for answering one user after the other while items and behaviours
/// come in.
///
/// Everything that depends on the training catalogue alone is computed once. Items that come later
/// are ``OnlineItem``s beside it, so that adding one costs nothing that grows with the catalogue.
/// Scores are those of ``Recommender/rank(_:userFeatures:k:candidates:excluding:workers:)`` after
/// ``Recommender/addItems(_:workers:)``, up to rounding.
public final class OnlineModel: Sendable {
  /// The model.
  public let recommender: Recommender
  /// Items of the training catalogue that have behaviours, ascending.
  let warmItems: [Int32]
  /// Their whitened unit vectors and an index of their words: where neighbours of new items are looked
  /// for.
  let warmWhite: DenseMatrix
  let warmWords: ItemProducts
  /// Unit rows of whitened text.
  let white: DenseMatrix
  /// Unit rows of words.
  let unitWords: SparseMatrix
  /// ALS factors predicted from text.
  let predicted: DenseMatrix?
  let foldIn: FactorFoldIn?
  /// Rows of items in the towers' history embeddings, or -1.
  let embeddingRows: [Int32]
  /// For each part what an item's standardised score counts, by item.
  let coefficients: [(part: ScorePart, values: [Float])]
  /// The fusion whose scores these are.
  let fusion: FusionWeights
  /// What every item's score starts from.
  let base: [Float]
  /// The same for an item without behaviours.
  let newCoefficients: [ScorePart: Float]
  let newBase: Float
  /// Which items count when a part is standardised that says nothing of new items: 1 or 0.
  let warmMask: [Float]

  /// Prepares a model.
  ///
  /// - Throws: `ALSError` when users can't be folded in.
  public convenience init(_ recommender: Recommender, workers: Workers) throws {
    try self.init(recommender, fusion: recommender.fusion, workers: workers)
  }

  /// The same with other weights than the model's.
  package init(_ recommender: Recommender, fusion: FusionWeights, workers: Workers) throws {
    self.recommender = recommender
    self.fusion = fusion
    let (space, models) = (recommender.space, recommender.models)
    warmItems = space.counts.indices.filter { space.counts[$0] > 0 }.map { Int32($0) }
    warmWhite = space.white.selectingRows(warmItems).normalizingRows()
    warmWords = ItemProducts(space.words.selectingRows(warmItems).normalizingRows())
    white = space.white.normalizingRows()
    unitWords = space.words.normalizingRows()
    let parts = fusion.parts
    predicted =
      parts.contains(.ridge) ? models.ridge?.predict(space.white, workers: workers) : nil
    foldIn =
      parts.contains(.als) || parts.contains(.ridge)
      ? try models.als.userFoldIn(workers: workers) : nil
    embeddingRows = models.embeddingRows(space)
    let gates = space.counts.map { fusion.gate($0) }
    let scale = Float(fusion.coldScale)
    coefficients = parts.compactMap { part in
      if part == .ridge, models.ridge == nil { return nil }
      let (warm, cold) = (Float(fusion.warm[part] ?? 0), Float(fusion.cold[part] ?? 0))
      return (part, gates.map { $0 * warm + (1 - $0) * scale * cold })
    }
    newCoefficients = Dictionary(
      uniqueKeysWithValues: parts.map { ($0, scale * Float(fusion.cold[$0] ?? 0)) })
    base = gates.map { (1 - $0) * Float(fusion.coldShift) }
    newBase = Float(fusion.coldShift)
    warmMask = space.counts.map { $0 > 0 ? 1 : 0 }
  }

  /// Items of the training catalogue.
  public var itemCount: Int { recommender.items.count }

  /// A catalogue item as its tower vector, (width).
  public func towerVector(_ item: Int) -> ArraySlice<Float> {
    recommender.space.towerVectors.row(item)
  }
}

/// What is known of somebody: items with weights, and perhaps features.
public struct OnlineHistory: Sendable {
  /// Items of the training catalogue, ascending and distinct, with values; 1 is a behaviour.
  public var items: [OnlineItem.Weighted]
  /// Items that came later, with values.
  public var newItems: [(item: OnlineItem, value: Float)]
  /// Features under the training's schema; nil where nothing is known.
  public var features: [Float]?

  /// Creates a history of behaviours on catalogue items, in any order.
  public init(items: [Int32] = [], newItems: [OnlineItem] = [], features: [Float]? = nil) {
    var previous: Int32 = -1
    self.items = []
    for item in items.sorted() where item != previous {
      self.items.append(.init(item: item, weight: 1))
      previous = item
    }
    self.newItems = newItems.map { ($0, 1) }
    self.features = features
  }

  /// A text as a history, with the items nearest to it, as ``Recommender/requests(like:workers:)``.
  public init(like text: OnlineItem) {
    items = text.textNeighbours
    newItems = [(text, 1)]
    features = nil
  }
}
