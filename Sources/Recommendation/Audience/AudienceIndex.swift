public import Kernels

/// Finds the users whom an item is for: those who give it the highest fused score.
///
/// Exact: the scores are those of ``FusedScorer``, up to rounding, for every user. Standardisation looks
/// at a user's scores of the whole catalogue, which doesn't change with new items; its mean and scale
/// are computed once, so that an item then costs one pass over the histories and not one over all pairs.
public struct AudienceIndex: Sendable {
  /// One user in an audience.
  public struct Member: Sendable, Equatable {
    /// The row of the histories that the index was made of.
    public let user: Int32
    /// The fused score.
    public let score: Float
  }

  private let parts: [ScorePart]
  /// EASE's weights by the item they predict; nil where no part needs them.
  private let easeColumns: SparseMatrix?
  private var histories: SparseMatrix
  private var userFeatures: DenseMatrix?
  /// Mean and 1 / standard deviation of each part's scores, (users, 2 * parts).
  private var moments: DenseMatrix
  private var towerVectors: DenseMatrix?
  private var factors: DenseMatrix?
  /// 1 / length of each user's sum of whitened text vectors.
  private var profileScales: [Float] = []

  /// Scores the catalogue once for each row of `histories`, (users, items of the recommender).
  ///
  /// - Throws: `ALSError` when users can't be folded in.
  public init(
    _ recommender: Recommender, histories: SparseMatrix, userFeatures: DenseMatrix? = nil,
    workers: Workers
  ) throws {
    parts = recommender.fusion.parts
    easeColumns =
      parts.contains { [.ease, .textSpread, .wordSpread, .textKernel].contains($0) }
      ? recommender.models.ease.weights.transposed() : nil
    self.histories = histories
    self.userFeatures = userFeatures
    moments = DenseMatrix(rowCount: histories.rowCount, columnCount: 2 * parts.count)
    let all = UserSummary(recommender, parts, histories, userFeatures, workers)
    moments = try all.moments()
    towerVectors = parts.contains(.tower) ? all.towerVectors() : nil
    factors = try all.factors()
    profileScales = parts.contains(.textProfile) ? all.profileScales() : []
  }

  /// The number of users.
  public var userCount: Int { histories.rowCount }

  /// The `k` users with the highest scores for each item, best first; equal scores go to the lower row.
  ///
  /// - Parameters:
  ///   - items: numbers in the recommender's items, of which those that the index was made of come
  ///     first: items that were added since can be asked about.
  ///   - includesOwners: whether users who have the item already are listed.
  /// - Throws: ``RecommenderError`` for an item that the recommender doesn't have.
  public func audience(
    of items: [Int32], in recommender: Recommender, k: Int, includesOwners: Bool = false,
    workers: Workers
  ) throws -> [[Member]] {
    for item in items where item < 0 || Int(item) >= recommender.items.count {
      throw RecommenderError("there is no item number \(item) among \(recommender.items.count)")
    }
    let scores = scores(of: items, in: recommender, workers: workers)
    return items.enumerated().map { n, item in
      var line = Array(scores.row(n))
      if !includesOwners, Int(item) < histories.columnCount {
        for user in 0..<userCount where histories.columns(ofRow: user).contains(item) {
          line[user] = -.infinity
        }
      }
      return best(line, k: min(k, userCount))
    }
  }

  private func best(_ scores: [Float], k: Int) -> [Member] {
    var selector = TopKSelector(k: k)
    scores.withUnsafeBufferPointer { line in
      if let base = line.baseAddress { selector.scan(base, count: line.count) }
    }
    var users = [Int32](repeating: 0, count: k)
    var values = [Float](repeating: 0, count: k)
    let found = selector.finish(&users, &values)
    return (0..<found).map { Member(user: users[$0], score: values[$0]) }
  }

  /// Fused scores of all users, (items, users).
  public func scores(
    of items: [Int32], in recommender: Recommender, workers: Workers
  ) -> DenseMatrix {
    let queries = ItemQueries(recommender, items, parts: parts, ease: easeColumns)
    let fusion = recommender.fusion
    let users = userCount
    var result = DenseMatrix(rowCount: items.count, columnCount: users)
    result.withMutablePointer { target in
      nonisolated(unsafe) let target = target
      workers.runRanges(users) { _, range in
        let raw = ScalarBuffer<Float>(range.count)
        for n in items.indices {
          let line = target + n * users
          let gate = fusion.gate(queries.counts[n])
          for user in range { line[user] = (1 - gate) * Float(fusion.coldShift) }
          for (place, part) in parts.enumerated() {
            let weight =
              gate * Float(fusion.warm[part] ?? 0)
              + (1 - gate) * Float(fusion.coldScale) * Float(fusion.cold[part] ?? 0)
            guard weight != 0 else { continue }
            fill(raw.pointer, part, queries, n, range)
            moments.withPointer { moments in
              for user in range {
                let own = moments + (user * parts.count + place) * 2
                line[user] += weight * (raw.pointer[user - range.lowerBound] - own[0]) * own[1]
              }
            }
          }
        }
      }
    }
    return result
  }

  /// Writes a part's scores of item `n` before standardisation, for a range of users.
  private func fill(
    _ raw: UnsafeMutablePointer<Float>, _ part: ScorePart, _ queries: ItemQueries, _ n: Int,
    _ users: Range<Int>
  ) {
    switch part {
    case .popularity: raw.update(repeating: queries.counts[n], count: users.count)
    case .tower: multiply(raw, towerVectors, queries.towers, n, users)
    case .als: multiply(raw, factors, queries.factors, n, users)
    case .ridge: multiply(raw, factors, queries.predicted, n, users)
    case .ease, .textSpread, .wordSpread, .textKernel, .wordNeighbours, .textProfile:
      guard let query = queries.linear[part]?[n] else { return }
      query.withUnsafeBufferPointer { query in
        histories.withView { view in
          for user in users {
            var sum: Float = 0
            for place in view.range(user) {
              sum += view.values[place] * query[Int(view.columns[place])]
            }
            raw[user - users.lowerBound] = part == .textProfile ? sum * profileScales[user] : sum
          }
        }
      }
    }
  }

  private func multiply(
    _ raw: UnsafeMutablePointer<Float>, _ users: DenseMatrix?, _ items: DenseMatrix?, _ n: Int,
    _ range: Range<Int>
  ) {
    guard let users, let items else { return raw.update(repeating: 0, count: range.count) }
    let width = users.columnCount
    users.withPointer { u in
      items.withPointer { v in
        for user in range {
          raw[user - range.lowerBound] = Float.dot(width, u + user * width, v + n * width)
        }
      }
    }
  }

  /// Takes newer histories of some users, whose rows may lie one behind the last.
  ///
  /// - Parameters:
  ///   - rows: the index's rows, ascending.
  ///   - newer: their histories in that order, over the recommender's items.
  ///   - features: their features, (rows, userInputs).
  /// - Throws: `ALSError` when users can't be folded in.
  public mutating func update(
    _ rows: [Int32], histories newer: SparseMatrix, features: DenseMatrix? = nil,
    in recommender: Recommender, workers: Workers
  ) throws {
    precondition(rows.count == newer.rowCount, "\(rows.count) rows for \(newer.rowCount) histories")
    let summary = UserSummary(recommender, parts, newer, features, workers)
    let last = rows.last.map { Int($0) + 1 } ?? 0
    let count = max(userCount, last)
    moments.replaceRows(rows, with: try summary.moments(), rowCount: count)
    if towerVectors != nil {
      towerVectors?.replaceRows(rows, with: summary.towerVectors(), rowCount: count)
    }
    if let folded = try summary.factors() {
      factors?.replaceRows(rows, with: folded, rowCount: count)
    }
    if parts.contains(.textProfile) {
      profileScales += [Float](repeating: 1, count: count - profileScales.count)
      for (n, scale) in summary.profileScales().enumerated() { profileScales[Int(rows[n])] = scale }
    }
    histories = histories.replacingRows(rows, with: newer, rowCount: count)
  }
}
