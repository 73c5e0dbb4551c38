public import Kernels

/// Re-ranks a list so that its items differ from each other.
///
/// Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): the next item is the one with the
/// largest (1 - diversity) * relevance - diversity * (largest similarity to an item already chosen).
/// Relevance is the score scaled to 0...1 over the pool; similarity is the cosine of item vectors.
public struct MaximalMarginalRelevance: Sendable {
  /// 0 keeps the order of the scores, 1 looks at similarity alone, except for the first item.
  public let diversity: Float
  /// Candidates looked at for each place of a list of k: k times this.
  public static let poolFactor = 5

  /// Creates a re-ranking; `diversity` lies between 0 and 1.
  ///
  /// - Throws: ``RecommenderError`` for another diversity.
  public init(diversity: Double) throws {
    guard diversity >= 0, diversity <= 1 else {
      throw RecommenderError("diversity must lie between 0 and 1, not \(diversity)")
    }
    self.diversity = Float(diversity)
  }

  /// The pool of a list that is asked for page by page: the same for all pages, so that they fit together.
  public static let pagedPoolSize = 1000

  /// How many candidates a list of `k` is chosen from.
  public func poolSize(_ k: Int) -> Int {
    let limit = MaximalMarginalRelevance.pagedPoolSize
    guard diversity > 0 else { return k }
    return max(k, min(min(k, limit) * MaximalMarginalRelevance.poolFactor, limit))
  }

  /// The first `k` items of a list of any length: chosen from the ``pagedPoolSize`` best, after which the
  /// others follow by score.
  ///
  /// The first `k` of a longer list are the list of `k`. Parameters as for ``select(_:k:vectors:)``.
  public func selectPaged(
    _ elements: [RankedLists.Element], k: Int, vectors: DenseMatrix
  ) -> [RankedLists.Element] {
    let size = MaximalMarginalRelevance.pagedPoolSize
    let chosen = select(Array(elements.prefix(size)), k: min(k, size), vectors: vectors)
    return k <= chosen.count ? chosen : chosen + elements.dropFirst(size).prefix(k - chosen.count)
  }

  /// The `k` items chosen from a pool that is sorted by score, best first.
  ///
  /// Equal values go to the item earlier in the pool. `vectors` has a unit row for each item of the
  /// catalogue. Scores stay those of the pool, so a diversified list's scores need not descend.
  public func select(
    _ pool: [RankedLists.Element], k: Int, vectors: DenseMatrix
  ) -> [RankedLists.Element] {
    guard let first = pool.first, let last = pool.last, k > 0 else { return [] }
    guard diversity > 0 else { return Array(pool.prefix(k)) }
    let width = vectors.columnCount
    let spread = first.score - last.score
    let relevance = pool.map { spread > 0 ? ($0.score - last.score) / spread : 1 }
    var nearest = [Float](repeating: -.infinity, count: pool.count)
    var isChosen = [Bool](repeating: false, count: pool.count)
    var chosen: [RankedLists.Element] = []
    var next = 0
    vectors.withPointer { base in
      while true {
        isChosen[next] = true
        chosen.append(pool[next])
        guard chosen.count < min(k, pool.count) else { return }
        let row = base + Int(pool[next].item) * width
        var best = -Float.infinity
        var place = 0
        for n in pool.indices where !isChosen[n] {
          let cosine = Float.dot(width, row, base + Int(pool[n].item) * width)
          nearest[n] = max(nearest[n], cosine)
          let value = (1 - diversity) * relevance[n] - diversity * nearest[n]
          if value > best { (best, place) = (value, n) }
        }
        next = place
      }
    }
    return chosen
  }
}

extension Recommender {
  /// Ranked lists whose items differ from each other, see ``MaximalMarginalRelevance``.
  ///
  /// Parameters as for ``rank(_:userFeatures:k:candidates:excluding:workers:)``; similarity is the
  /// cosine of item tower vectors, which new items have too.
  ///
  /// - Throws: `ALSError` when users can't be folded in.
  public func rank(
    _ histories: SparseMatrix, userFeatures: DenseMatrix? = nil, k: Int, candidates: [Int32]?,
    excluding: SparseMatrix? = nil, reranking: MaximalMarginalRelevance, workers: Workers
  ) throws -> [[RankedLists.Element]] {
    let lists = try rank(
      histories, userFeatures: userFeatures, k: reranking.poolSize(k), candidates: candidates,
      excluding: excluding, workers: workers)
    return (0..<lists.rowCount).map {
      reranking.select(lists[$0], k: k, vectors: space.towerVectors)
    }
  }
}
