public import Datasets
import EncoderModel
import Kernels

/// An item that came after training, in every representation that scoring needs.
///
/// Computed once from its text and features; nothing of other items changes by it.
public final class OnlineItem: Sendable {
  /// Its whitened text vector, of unit length.
  let white: [Float]
  /// Its item tower vector, of unit length.
  public let tower: [Float]
  /// ALS factors predicted from its text; empty without a ridge regression.
  let factors: [Float]
  /// The nearest items with behaviours by whitened text, with weights that sum to 1.
  let textNeighbours: [Weighted]
  /// The same by words.
  let wordNeighbours: [Weighted]
  /// Cosines to the nearest items with behaviours by words.
  let wordCosines: [Weighted]
  /// Weights of the nearest items with behaviours by kernel ridge regression.
  let kernelWeights: [Weighted]
  /// Its TF-IDF row, by term.
  let words: [Weighted]

  /// An item of the training catalogue with a weight.
  public struct Weighted: Sendable, Equatable {
    /// Its number.
    public let item: Int32
    /// Its weight.
    public let weight: Float
  }

  init(
    white: [Float], tower: [Float], factors: [Float], textNeighbours: [Weighted],
    wordNeighbours: [Weighted], wordCosines: [Weighted], kernelWeights: [Weighted],
    words: [Weighted]
  ) {
    self.white = white
    self.tower = tower
    self.factors = factors
    self.textNeighbours = textNeighbours
    self.wordNeighbours = wordNeighbours
    self.wordCosines = wordCosines
    self.kernelWeights = kernelWeights
    self.words = words
  }
}

extension OnlineModel {
  /// Represents texts as items; `features` has a row each under the training's schema, or is nil.
  ///
  /// Runs on the calling thread, and may run on several at once.
  public func represent(_ texts: [String], features: DenseMatrix?) -> [OnlineItem] {
    let one = Workers(count: 1)
    // Vectors from elsewhere don't come with an item over the network: they count as missing.
    let width = recommender.vectorBlocks.totalWidth
    let missing = width > 0 ? DenseMatrix(rowCount: texts.count, columnCount: width) : nil
    let embedded = recommender.embed(
      texts, features: DenseMatrix.beside(features, missing), workers: one)
    let words = recommender.models.words.transform(texts)
    let regression = LocalKernelRidge()
    var near = TopK.rankProducts(
      users: embedded.white.normalizingRows(), items: warmWhite,
      k: min(regression.candidates, warmItems.count), workers: one)
    near.dropNonPositive(names: warmItems)
    var wide = TopK.rank(
      warmWords, histories: words.normalizingRows(),
      k: min(regression.candidates, warmItems.count), workers: one)
    wide.dropNonPositive(names: warmItems)
    let predicted = recommender.models.ridge.map { $0.predict(embedded.white, workers: one) }
    let unit = embedded.white.normalizingRows()
    let kernel = regression.weights(
      of: .init(white: unit, words: words.normalizingRows()),
      among: .init(white: white, words: unitWords), near: near.joined(with: wide),
      workers: one)
    return texts.indices.map { row in
      return OnlineItem(
        white: Array(unit.row(row)), tower: Array(embedded.towers.row(row)),
        factors: predicted.map { Array($0.row(row)) } ?? [],
        textNeighbours: OnlineModel.normalized(
          weighted(near, row, count: ItemSpace.spreadNeighbours)),
        wordNeighbours: OnlineModel.normalized(
          weighted(wide, row, count: ItemSpace.spreadNeighbours)),
        wordCosines: weighted(wide, row, count: ItemSpace.modelNeighbours),
        kernelWeights: zip(kernel.columns(ofRow: row), kernel.values(ofRow: row)).map {
          OnlineItem.Weighted(item: $0, weight: $1)
        },
        words: zip(words.columns(ofRow: row), words.values(ofRow: row)).map {
          OnlineItem.Weighted(item: $0, weight: $1)
        })
    }
  }

  /// A row's first `count` neighbours with their cosines, in the order of the catalogue.
  private func weighted(_ near: RankedLists, _ row: Int, count: Int = .max) -> [OnlineItem.Weighted]
  {
    near[row].prefix(count).sorted { $0.item < $1.item }.map {
      OnlineItem.Weighted(item: $0.item, weight: $0.score)
    }
  }

  /// Divided by their sum, as ``Neighbours/matrix(itemCount:normalized:)`` does.
  private static func normalized(_ entries: [OnlineItem.Weighted]) -> [OnlineItem.Weighted] {
    let sum = entries.reduce(Float(0)) { $0 + $1.weight }
    let scale = 1 / max(sum, 1e-9)
    return entries.map { OnlineItem.Weighted(item: $0.item, weight: $0.weight * scale) }
  }
}

extension OnlineModel {
  /// The recommender with later items in its catalogue, for what looks at some items in many ways: reasons.
  ///
  /// Its items have no pooled vectors and no tower inputs, so that it can't be written or trained on. What it
  /// shares with the model is copied.
  ///
  /// - Parameters:
  ///   - items: the items' representations.
  ///   - table: their ids, texts and features in that order.
  /// - Throws: ``RecommenderError`` for an id that the catalogue has already.
  package func recommender(adding items: [OnlineItem], _ table: ItemTable) throws -> Recommender {
    precondition(items.count == table.count, "\(items.count) items in a table of \(table.count)")
    var result = recommender
    guard !items.isEmpty else { return result }
    let total = itemCount + items.count
    func sparse(_ row: (OnlineItem) -> [OnlineItem.Weighted], columns: Int) -> SparseMatrix {
      let rows = OnlineBlock.Sparse(items.map(row))
      return SparseMatrix(
        trustedRowCount: items.count, columnCount: columns, offsets: rows.offsets,
        columns: rows.items, values: rows.weights)
    }
    let block = OnlineBlock.Part(items)
    try result.append(
      table, text: (raw: nil, inputs: nil, white: block.white, towers: block.towers),
      words: sparse(\.words, columns: recommender.models.words.termCount),
      near: ItemNeighbourhoods(
        text: sparse(\.textNeighbours, columns: total),
        words: sparse(\.wordNeighbours, columns: total),
        cosines: sparse(\.wordCosines, columns: total),
        kernel: sparse(\.kernelWeights, columns: total)))
    return result
  }
}
