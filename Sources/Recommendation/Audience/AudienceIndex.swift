public import Kernels

/// Finds the users whom an item is for: those who give it the highest fused score.
///
/// Exact: the scores are those of ``FusedScorer``, up to rounding, for every user. Standardisation looks
/// at a user's scores of the whole training catalogue, which doesn't change with new items; its mean and
/// scale are computed once, so that an item then costs one pass over the histories and not one over all
/// pairs. New items cost the same as those of training: nothing of the catalogue is copied for them.
public struct AudienceIndex: Sendable {
  /// One user in an audience.
  public struct Member: Sendable, Equatable {
    /// The row of the histories that the index was made of.
    public let user: Int32
    /// The fused score.
    public let score: Float
  }

  /// Whose audience is looked for.
  public enum Subject: Sendable {
    /// An item by its place: those of training first, then those of the block.
    case item(Int32)
    /// A text that has no place.
    case text(OnlineItem)
  }

  private let parts: [ScorePart]
  /// EASE's weights by the item they predict; nil where no part needs them.
  private let easeColumns: SparseMatrix?
  private var histories: SparseMatrix
  /// Mean and 1 / standard deviation of each part's scores, (users, 2 * parts).
  private var moments: DenseMatrix
  private var towerVectors: DenseMatrix?
  private var factors: DenseMatrix?
  /// 1 / length of each user's sum of whitened text vectors.
  private var profileScales: [Float] = []

  /// Scores the training catalogue once for each user of training.
  public init(_ online: OnlineModel, workers: Workers) {
    let recommender = online.recommender
    parts = online.coefficients.map(\.part)
    easeColumns =
      parts.contains { [.ease, .textSpread, .wordSpread, .textKernel].contains($0) }
      ? recommender.models.ease.weights.transposed() : nil
    histories = recommender.histories
    let users = online.summaries(count: histories.rowCount, workers: workers) { row in
      OnlineHistory(
        items: Array(recommender.histories.columns(ofRow: row)),
        features: recommender.userFeatures.map { Array($0.row(row)) })
    }
    moments = users.moments
    towerVectors = users.towers
    factors = users.factors
    profileScales = users.profileScales
  }

  /// The number of users.
  public var userCount: Int { histories.rowCount }

  /// The `k` users with the highest scores for an item, best first; equal scores go to the lower row.
  ///
  /// - Parameters:
  ///   - block: the items that came after training.
  ///   - includesOwners: whether users who have the item already are listed.
  ///   - hidden: users who are never listed, by row; rows behind its end are.
  /// - Throws: ``RecommenderError`` for an item that isn't there.
  public func audience(
    of subject: Subject, in online: OnlineModel, block: OnlineBlock, k: Int,
    includesOwners: Bool = false, hidden: [Bool] = [], workers: Workers
  ) throws -> [Member] {
    var line = try scores(of: subject, in: online, block: block, workers: workers)
    if !includesOwners, case .item(let item) = subject {
      histories.withView { view in
        for user in 0..<userCount {
          for n in view.range(user) where view.columns[n] == item { line[user] = -.infinity }
        }
      }
    }
    for user in 0..<min(hidden.count, userCount) where hidden[user] { line[user] = -.infinity }
    return best(line, k: min(k, userCount))
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

  /// Fused scores of all users.
  ///
  /// - Throws: ``RecommenderError`` for an item that isn't there.
  public func scores(
    of subject: Subject, in online: OnlineModel, block: OnlineBlock, workers: Workers
  ) throws -> [Float] {
    let query = try ItemQuery(
      subject, online, block, parts: parts, ease: easeColumns, itemCount: histories.columnCount)
    let fusion = online.fusion
    var result = [Float](repeating: 0, count: userCount)
    result.withUnsafeMutableBufferPointer { line in
      nonisolated(unsafe) let line = line
      workers.runRanges(line.count) { _, range in
        let raw = ScalarBuffer<Float>(range.count)
        let gate = fusion.gate(query.count)
        for user in range { line[user] = (1 - gate) * Float(fusion.coldShift) }
        for (place, part) in parts.enumerated() {
          let weight =
            gate * Float(fusion.warm[part] ?? 0)
            + (1 - gate) * Float(fusion.coldScale) * Float(fusion.cold[part] ?? 0)
          guard weight != 0 else { continue }
          fill(raw.pointer, part, query, range)
          moments.withPointer { moments in
            for user in range {
              let own = moments + (user * parts.count + place) * 2
              line[user] += weight * (raw.pointer[user - range.lowerBound] - own[0]) * own[1]
            }
          }
        }
      }
    }
    return result
  }

  /// Writes a part's scores before standardisation, for a range of users.
  private func fill(
    _ raw: UnsafeMutablePointer<Float>, _ part: ScorePart, _ query: ItemQuery, _ users: Range<Int>
  ) {
    switch part {
    case .popularity: raw.update(repeating: query.count, count: users.count)
    case .tower: multiply(raw, towerVectors, query.tower, users)
    case .als: multiply(raw, factors, query.factors, users)
    case .ridge: multiply(raw, factors, query.predicted, users)
    case .ease, .textSpread, .wordSpread, .textKernel, .wordNeighbours, .textProfile:
      guard let weights = query.linear[part] else {
        return raw.update(repeating: 0, count: users.count)
      }
      weights.withUnsafeBufferPointer { weights in
        histories.withView { view in
          for user in users {
            var sum: Float = 0
            for place in view.range(user) {
              sum += view.values[place] * weights[Int(view.columns[place])]
            }
            raw[user - users.lowerBound] = part == .textProfile ? sum * profileScales[user] : sum
          }
        }
      }
    }
  }

  private func multiply(
    _ raw: UnsafeMutablePointer<Float>, _ users: DenseMatrix?, _ item: [Float], _ range: Range<Int>
  ) {
    guard let users, item.count == users.columnCount else {
      return raw.update(repeating: 0, count: range.count)
    }
    let width = users.columnCount
    users.withPointer { u in
      item.withUnsafeBufferPointer { item in
        guard let v = item.baseAddress else { return }
        for user in range { raw[user - range.lowerBound] = Float.dot(width, u + user * width, v) }
      }
    }
  }

  /// Takes newer histories of some users, whose rows may lie one behind the last.
  ///
  /// - Parameters:
  ///   - rows: the index's rows, ascending.
  ///   - newer: their items by place in catalogue and block, ascending.
  ///   - block: the items that came after training.
  ///   - features: their features under the training's schema, for each row; nil for none.
  public mutating func update(
    _ rows: [Int32], histories newer: [[Int32]], features: [[Float]?], in online: OnlineModel,
    block: OnlineBlock, workers: Workers
  ) {
    precondition(
      rows.count == newer.count && rows.count == features.count,
      "\(rows.count) rows for \(newer.count) histories")
    let trained = online.itemCount
    let users = online.summaries(count: newer.count, workers: workers) { n in
      OnlineHistory(
        items: newer[n].filter { Int($0) < trained },
        newItems: newer[n].filter { Int($0) >= trained }.map { block[Int($0) - trained] },
        features: features[n])
    }
    let count = max(userCount, rows.last.map { Int($0) + 1 } ?? 0)
    moments.replaceRows(rows, with: users.moments, rowCount: count)
    if let newer = users.towers { towerVectors?.replaceRows(rows, with: newer, rowCount: count) }
    if let newer = users.factors { factors?.replaceRows(rows, with: newer, rowCount: count) }
    if !users.profileScales.isEmpty {
      profileScales += [Float](repeating: 1, count: count - profileScales.count)
      for (n, scale) in users.profileScales.enumerated() { profileScales[Int(rows[n])] = scale }
    }
    var offsets = [0]
    for places in newer { offsets.append((offsets.last ?? 0) + places.count) }
    let columns = newer.flatMap { $0 }
    histories = histories.replacingRows(
      rows,
      with: SparseMatrix(
        trustedRowCount: rows.count, columnCount: trained + block.count, offsets: offsets,
        columns: columns, values: [Float](repeating: 1, count: columns.count)), rowCount: count)
  }
}
