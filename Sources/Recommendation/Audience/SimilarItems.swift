public import Kernels

extension Recommender {
  /// Where items are compared.
  public enum ItemComparison: String, Sendable, Codable, CaseIterable {
    /// The item tower's vectors: alike for those who choose.
    case tower
    /// Whitened vectors of the encoder: alike by what the texts say.
    case text
  }

  /// The items most similar to items of the catalogue, by exact cosine, most similar first.
  ///
  /// An item isn't its own neighbour; only positive similarities are listed, equal ones by item number.
  ///
  /// - Parameters:
  ///   - items: numbers in ``items``.
  ///   - candidates: items that may be listed, ascending; nil allows all.
  public func similar(
    to items: [Int32], k: Int, by comparison: ItemComparison = .tower, candidates: [Int32]? = nil,
    workers: Workers
  ) -> RankedLists {
    let vectors = comparison == .tower ? space.towerVectors : space.white
    let own = SparseMatrix(
      trustedRowCount: items.count, columnCount: vectors.rowCount,
      offsets: Array(0...items.count), columns: items,
      values: [Float](repeating: 1, count: items.count))
    return positive(
      TopK.rankProducts(
        users: vectors.selectingRows(items), items: vectors, k: k, candidates: candidates,
        excluding: own, workers: workers))
  }

  /// The items most similar to texts that aren't in the catalogue.
  public func similar(
    toTexts texts: [String], k: Int, by comparison: ItemComparison = .tower,
    candidates: [Int32]? = nil, workers: Workers
  ) -> RankedLists {
    let embedded = embed(texts, features: nil, workers: workers)
    return positive(
      TopK.rankProducts(
        users: comparison == .tower ? embedded.towers : embedded.white,
        items: comparison == .tower ? space.towerVectors : space.white, k: k,
        candidates: candidates, workers: workers))
  }

  private func positive(_ lists: RankedLists) -> RankedLists {
    var lists = lists
    lists.dropNonPositive(names: (0..<Int32(space.count)).map { $0 })
    return lists
  }
}
