import EncoderModel
import Kernels

/// Scores several histories at once: a lane each, items one after the other.
///
/// Lanes are ``SparseLanes``' many or few: each loaded weight serves all of them.
struct OnlineScoring {
  let model: OnlineModel
  let block: OnlineBlock
  /// Lanes, at least as many as histories.
  let lanes: Int
  let catalogueCount: Int
  /// Items of catalogue and block.
  let count: Int

  /// Scores of catalogue and block, (items, lanes).
  let total: ScalarBuffer<Float>
  /// Of one part.
  let part: ScalarBuffer<Float>
  /// EASE's scores; with the histories added they are what neighbours hand on.
  private let ease: ScalarBuffer<Float>
  /// Some items' products, a row a user.
  private let products: ScalarBuffer<Float>
  /// Items whose products are computed at once: they stay in the cache until they are lanes.
  private static let productItems = 256

  /// Hears what a part's scores are standardised by: its place, and mean and 1 / deviation by lane.
  typealias Listener = (_ place: Int, _ shift: [Float], _ scale: [Float]) -> Void

  init(_ model: OnlineModel, _ block: OnlineBlock, users: Int) {
    self.model = model
    self.block = block
    lanes = users <= SparseLanes.few ? SparseLanes.few : SparseLanes.count
    precondition(users <= lanes, "\(users) users for \(lanes) lanes")
    catalogueCount = model.itemCount
    count = catalogueCount + block.count
    total = ScalarBuffer(count * lanes)
    part = ScalarBuffer(count * lanes)
    ease = ScalarBuffer(catalogueCount * lanes)
    products = ScalarBuffer(OnlineScoring.productItems * lanes)
  }

  /// Writes ``total``; `users` are the histories' ``vectors(_:)``.
  func score(
    _ histories: [OnlineHistory], _ users: OnlineUserVectors, moments: Listener? = nil
  ) {
    for item in 0..<catalogueCount { fill(total, item, model.base[item]) }
    for item in catalogueCount..<count { fill(total, item, model.newBase) }
    let parts = model.coefficients.map(\.part)
    if parts.contains(where: { [.ease, .textSpread, .wordSpread, .textKernel].contains($0) }) {
      scoreEASE(histories)
    }
    // How much of the histories stands in `ease` beside EASE's scores.
    var historyShare: Float = 0
    for (place, name) in parts.enumerated() {
      switch name {
      case .ease:
        part.pointer.update(from: ease.pointer, count: catalogueCount * lanes)
        clearBlock()
      case .popularity:
        let counts = model.recommender.space.counts
        for item in 0..<catalogueCount { fill(part, item, counts[item]) }
        clearBlock()
      case .als: product(users.factors, model.recommender.models.als.itemFactors, new: nil)
      case .ridge: product(users.factors, model.predicted, new: \.factors)
      case .textProfile: product(users.profiles?.vectors, model.white, new: \.white)
      case .tower: product(users.towers, model.recommender.space.towerVectors, new: \.towers)
      case .textSpread, .wordSpread, .textKernel, .wordNeighbours: continue
      }
      add(place, moments)
    }
    // What neighbours hand on: first the histories alone, then EASE's scores with them. The order of
    // the parts in a sum doesn't matter beyond rounding.
    for (place, name) in parts.enumerated() {
      let space = model.recommender.space
      switch name {
      case .wordNeighbours:
        scoreWordNeighbours(histories)
      case .textSpread, .wordSpread:
        addHistories(histories, to: ease, times: 1 - historyShare)
        historyShare = 1
        let isText = name == .textSpread
        gather(
          isText ? space.textNeighbours : space.wordNeighbours,
          isText ? \.textNeighbours : \.wordNeighbours, from: ease)
      case .textKernel:
        addHistories(histories, to: ease, times: ItemSpace.kernelHistoryShare - historyShare)
        historyShare = ItemSpace.kernelHistoryShare
        gather(space.kernelWeights, \.kernelWeights, from: ease)
      default: continue
      }
      add(place, moments)
    }
  }

  private func fill(_ buffer: ScalarBuffer<Float>, _ item: Int, _ value: Float) {
    (buffer.pointer + item * lanes).update(repeating: value, count: lanes)
  }

  private func clearBlock() {
    (part.pointer + catalogueCount * lanes).update(repeating: 0, count: block.count * lanes)
  }

  private func scoreEASE(_ histories: [OnlineHistory]) {
    ease.pointer.update(repeating: 0, count: catalogueCount * lanes)
    model.recommender.models.ease.weights.withView { view in
      for (lane, history) in histories.enumerated() {
        let column = ease.pointer + lane
        for entry in history.items {
          for n in view.range(Int(entry.item)) {
            column[Int(view.columns[n]) * lanes] += entry.weight * view.values[n]
          }
        }
      }
    }
  }

  private func addHistories(
    _ histories: [OnlineHistory], to target: ScalarBuffer<Float>, times factor: Float = 1
  ) {
    guard factor != 0 else { return }
    for (lane, history) in histories.enumerated() {
      for entry in history.items {
        target.pointer[Int(entry.item) * lanes + lane] += factor * entry.weight
      }
    }
  }

  /// Each item's weighted sum of what its neighbours have.
  private func gather(
    _ weights: SparseMatrix, _ new: KeyPath<OnlineBlock.Part, OnlineBlock.Sparse>,
    from source: ScalarBuffer<Float>
  ) {
    weights.withView { view in
      SparseLanes.multiply(
        part.pointer, offsets: view.offsets, columns: view.columns, values: view.values,
        rows: catalogueCount, x: source.pointer, lanes: lanes)
    }
    var rest = part.pointer + catalogueCount * lanes
    for own in block.parts {
      let rows = own[keyPath: new]
      SparseLanes.multiply(
        rest, offsets: rows.offsets, columns: rows.items, values: rows.weights,
        rows: own.items.count, x: source.pointer, lanes: lanes)
      rest += own.items.count * lanes
    }
  }

  /// Sums of cosines by words from the histories' items.
  private func scoreWordNeighbours(_ histories: [OnlineHistory]) {
    let sources = ScalarBuffer<Float>(catalogueCount * lanes)
    sources.pointer.update(repeating: 0, count: catalogueCount * lanes)
    addHistories(histories, to: sources)
    gather(model.recommender.space.wordCosines, \.wordCosines, from: sources)
  }

  /// Products of the users' rows with those of catalogue and block.
  private func product(
    _ users: DenseMatrix?, _ items: DenseMatrix?, new: KeyPath<OnlineBlock.Part, DenseMatrix>?
  ) {
    guard let users, let items else {
      return part.pointer.update(repeating: 0, count: count * lanes)
    }
    multiply(users, items, into: part.pointer)
    guard let new else { return clearBlock() }
    var rest = part.pointer + catalogueCount * lanes
    for own in block.parts {
      multiply(users, own[keyPath: new], into: rest)
      rest += own.items.count * lanes
    }
  }

  /// The items' vectors are read once, where they lie; sgemm would copy them for so few users.
  private func multiply(
    _ users: DenseMatrix, _ items: DenseMatrix, into target: UnsafeMutablePointer<Float>
  ) {
    let width = users.columnCount
    users.withPointer { u in
      items.withPointer { v in
        for first in stride(from: 0, to: items.rowCount, by: OnlineScoring.productItems) {
          let some = min(OnlineScoring.productItems, items.rowCount - first)
          FewRows.linear(
            y: products.pointer, x: u, weight: v + first * width, bias: nil, rows: users.rowCount,
            inputs: width, outputs: some, team: nil)
          SparseLanes.interleave(
            target + first * lanes, rows: products.pointer, vectors: users.rowCount, width: some,
            lanes: lanes)
        }
      }
    }
  }

  /// Standardises ``part`` over the training catalogue, as ``FusedScorer`` does, and adds it.
  private func add(_ place: Int, _ listener: Listener?) {
    let (name, coefficients) = model.coefficients[place]
    let onlyWarm = !name.scoresNewItems
    var sums = [Double](repeating: 0, count: lanes)
    var squares = sums
    model.warmMask.withUnsafeBufferPointer { mask in
      SparseLanes.moments(
        sums: &sums, squares: &squares, x: part.pointer, mask: onlyWarm ? mask.baseAddress : nil,
        rows: catalogueCount, lanes: lanes)
    }
    let n = Double(onlyWarm ? model.warmItems.count : catalogueCount)
    var shift = [Float](repeating: 0, count: lanes)
    var scale = shift
    for lane in 0..<lanes {
      let mean = n > 0 ? sums[lane] / n : 0
      let variance = n > 0 ? max(0, squares[lane] / n - mean * mean) : 0
      shift[lane] = Float(mean)
      if variance > 1e-18 { scale[lane] = Float(1 / variance.squareRoot()) }
    }
    listener?(place, shift, scale)
    coefficients.withUnsafeBufferPointer { own in
      guard let own = own.baseAddress else { return }
      SparseLanes.addStandardized(
        total.pointer, x: part.pointer, shift: shift, scale: scale, coefficients: own,
        rows: catalogueCount, lanes: lanes)
    }
    let new = [Float](repeating: model.newCoefficients[name] ?? 0, count: block.count)
    new.withUnsafeBufferPointer { own in
      guard let own = own.baseAddress, block.count > 0 else { return }
      SparseLanes.addStandardized(
        total.pointer + catalogueCount * lanes, x: part.pointer + catalogueCount * lanes,
        shift: shift, scale: scale, coefficients: own, rows: block.count, lanes: lanes)
    }
  }
}
