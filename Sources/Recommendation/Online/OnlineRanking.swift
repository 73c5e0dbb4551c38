import Kernels

extension OnlineModel {
  /// One ranked list to compute.
  public struct Query: Sendable {
    /// Whom for.
    public var history: OnlineHistory
    /// The length of the list.
    public var k: Int
    /// For each item of the catalogue and then of the block whether it may be listed; nil allows all.
    public var allowed: [Bool]?
    /// Items that are left out, by their place in catalogue and block.
    public var excluded: [Int32]

    /// Creates a query.
    public init(history: OnlineHistory, k: Int, allowed: [Bool]? = nil, excluded: [Int32] = []) {
      self.history = history
      self.k = k
      self.allowed = allowed
      self.excluded = excluded
    }
  }

  /// The best items for each query, over the catalogue and then `block`; equal scores go to the lower
  /// place.
  ///
  /// A list is the same, to the last bit, alone and among others. Runs on the calling thread. Sixteen
  /// queries are computed together: each loaded weight then serves sixteen users, which is several times
  /// faster than one by one.
  public func rank(_ queries: [Query], block: OnlineBlock) -> [[RankedLists.Element]] {
    var lists: [[RankedLists.Element]] = []
    lists.reserveCapacity(queries.count)
    for first in stride(from: 0, to: queries.count, by: SparseLanes.count) {
      let group = Array(queries[first..<min(first + SparseLanes.count, queries.count)])
      lists += OnlineScoring(self, block, users: group.count).rank(group)
    }
    return lists
  }

  /// The scores of the items of catalogue and block for one history, as ``rank(_:block:)`` sees them.
  package func scores(_ history: OnlineHistory, block: OnlineBlock) -> [Float] {
    let scoring = OnlineScoring(self, block, users: 1)
    scoring.score([history], scoring.vectors([history]))
    return (0..<(itemCount + block.count)).map { scoring.total.pointer[$0 * scoring.lanes] }
  }
}

extension OnlineScoring {
  fileprivate func rank(_ queries: [OnlineModel.Query]) -> [[RankedLists.Element]] {
    let histories = queries.map(\.history)
    score(histories, vectors(histories))
    let lines = ScalarBuffer<Float>(queries.count * count)
    SparseLanes.separate(
      lines.pointer, lanes: total.pointer, vectors: queries.count, width: count, lanes: lanes)
    return queries.enumerated().map { lane, query in
      let line = lines.pointer + lane * count
      if let allowed = query.allowed {
        for item in 0..<count where !allowed[item] { line[item] = -.infinity }
      }
      for item in query.excluded { line[Int(item)] = -.infinity }
      let k = min(query.k, count)
      var selector = TopKSelector(k: k)
      selector.scan(line, count: count)
      var items = [Int32](repeating: 0, count: k)
      var scores = [Float](repeating: 0, count: k)
      let found = selector.finish(&items, &scores)
      return (0..<found).map { RankedLists.Element(item: items[$0], score: scores[$0]) }
    }
  }
}
