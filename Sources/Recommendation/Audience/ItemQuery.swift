import Kernels

/// An item as the vectors that users' vectors and histories are multiplied with.
struct ItemQuery {
  /// Behaviours in training.
  let count: Float
  let tower: [Float]
  /// ALS factors; empty for an item that came after training.
  let factors: [Float]
  /// ALS factors predicted from its text; empty without a ridge regression.
  let predicted: [Float]
  /// Of the parts that are linear in the history a weight for each item of a history, by place; a part without an
  /// entry scores 0.
  private(set) var linear: [ScorePart: [Float]] = [:]

  /// Looks an item up.
  ///
  /// - Parameters:
  ///   - columns: EASE's weights by the item they predict.
  ///   - itemCount: the places that histories may have.
  /// - Throws: ``RecommenderError`` for an item that isn't there.
  init(
    _ subject: AudienceIndex.Subject, _ online: OnlineModel, _ block: OnlineBlock,
    parts: [ScorePart], ease columns: SparseMatrix?, itemCount: Int
  ) throws {
    let trained = online.itemCount
    switch subject {
    case .item(let place) where place >= 0 && Int(place) < trained:
      self.init(trained: Int(place), online, parts, columns, itemCount)
    case .item(let place) where place >= 0 && Int(place) < trained + block.count:
      self.init(later: block[Int(place) - trained], parts, columns, itemCount)
    case .item(let place):
      throw RecommenderError(
        "there is no item number \(place) among \(trained + block.count)")
    case .text(let item): self.init(later: item, parts, columns, itemCount)
    }
    guard parts.contains(.textProfile) else { return }
    let own: [Float] =
      switch subject {
      case .item(let place) where Int(place) < trained: Array(online.white.row(Int(place)))
      case .item(let place): block[Int(place) - trained].white
      case .text(let item): item.white
      }
    linear[.textProfile] = ItemQuery.cosines(own, online, block, itemCount)
  }

  private init(
    trained item: Int, _ online: OnlineModel, _ parts: [ScorePart], _ columns: SparseMatrix?,
    _ itemCount: Int
  ) {
    let (space, models) = (online.recommender.space, online.recommender.models)
    count = space.counts[item]
    tower = Array(space.towerVectors.row(item))
    factors = Array(models.als.itemFactors.row(item))
    predicted = online.predicted.map { Array($0.row(item)) } ?? []
    func row(_ matrix: SparseMatrix) -> [OnlineItem.Weighted] {
      zip(matrix.columns(ofRow: item), matrix.values(ofRow: item)).map {
        OnlineItem.Weighted(item: $0, weight: $1)
      }
    }
    for part in parts {
      switch part {
      case .ease:
        var query = [Float](repeating: 0, count: itemCount)
        ItemQuery.add(columns, item, times: 1, to: &query)
        linear[part] = query
      case .textSpread: spread(part, row(space.textNeighbours), columns, itemCount)
      case .wordSpread: spread(part, row(space.wordNeighbours), columns, itemCount)
      case .textKernel: spread(part, row(space.kernelWeights), columns, itemCount)
      case .wordNeighbours: spread(part, row(space.wordCosines), nil, itemCount)
      case .als, .popularity, .ridge, .textProfile, .tower: continue
      }
    }
  }

  private init(
    later item: OnlineItem, _ parts: [ScorePart], _ columns: SparseMatrix?, _ itemCount: Int
  ) {
    count = 0
    tower = item.tower
    factors = []
    predicted = item.factors
    for part in parts {
      switch part {
      case .textSpread: spread(part, item.textNeighbours, columns, itemCount)
      case .wordSpread: spread(part, item.wordNeighbours, columns, itemCount)
      case .textKernel: spread(part, item.kernelWeights, columns, itemCount)
      case .wordNeighbours: spread(part, item.wordCosines, nil, itemCount)
      case .als, .ease, .popularity, .ridge, .textProfile, .tower: continue
      }
    }
  }

  /// What neighbours hand on: EASE's scores, where there are `columns`, and the history itself.
  private mutating func spread(
    _ part: ScorePart, _ neighbours: [OnlineItem.Weighted], _ columns: SparseMatrix?,
    _ itemCount: Int
  ) {
    let share = part == .textKernel ? ItemSpace.kernelHistoryShare : 1
    var query = [Float](repeating: 0, count: itemCount)
    for near in neighbours {
      ItemQuery.add(columns, Int(near.item), times: near.weight, to: &query)
      query[Int(near.item)] += share * near.weight
    }
    linear[part] = query
  }

  /// What a history's items add to `item` by EASE.
  private static func add(
    _ columns: SparseMatrix?, _ item: Int, times factor: Float, to query: inout [Float]
  ) {
    guard let columns, item < columns.rowCount else { return }
    for n in columns.offsets[item]..<columns.offsets[item + 1] {
      query[Int(columns.columns[n])] += factor * columns.values[n]
    }
  }

  /// Cosines of a unit vector to those of all items.
  private static func cosines(
    _ own: [Float], _ online: OnlineModel, _ block: OnlineBlock, _ itemCount: Int
  ) -> [Float] {
    let width = own.count
    var query = [Float](repeating: 0, count: itemCount)
    func multiply(_ vectors: DenseMatrix, _ first: Int) {
      let rows = min(vectors.rowCount, itemCount - first)
      guard rows > 0 else { return }
      query.withUnsafeMutableBufferPointer { query in
        vectors.withPointer { v in
          own.withUnsafeBufferPointer { own in
            guard let u = own.baseAddress, let target = query.baseAddress else { return }
            Float.gemv(
              transpose: false, rows: rows, columns: width, alpha: 1, a: v, lda: width, x: u,
              beta: 0, y: target + first)
          }
        }
      }
    }
    multiply(online.white, 0)
    var first = online.itemCount
    for part in block.parts {
      multiply(part.white, first)
      first += part.items.count
    }
    return query
  }
}
