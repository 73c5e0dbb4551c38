import EncoderModel
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
  /// Runs on the calling thread. Sixteen queries are computed together: each loaded weight then serves
  /// sixteen users, which is several times faster than one by one.
  public func rank(_ queries: [Query], block: OnlineBlock) -> [[RankedLists.Element]] {
    var lists: [[RankedLists.Element]] = []
    lists.reserveCapacity(queries.count)
    var first = 0
    while first < queries.count {
      // A few queries use narrow lanes, which cost a quarter.
      let left = queries.count - first
      let count = left <= 4 ? left : min(left, 16)
      let group = Array(queries[first..<(first + count)])
      if count <= 4 {
        lists += OnlineScoring<SIMD4<Float>>(self, block).rank(group)
      } else {
        lists += OnlineScoring<SIMD16<Float>>(self, block).rank(group)
      }
      first += count
    }
    return lists
  }

  /// The scores of the items of catalogue and block for one history, as ``rank(_:block:)`` sees them.
  package func scores(_ history: OnlineHistory, block: OnlineBlock) -> [Float] {
    let scoring = OnlineScoring<SIMD4<Float>>(self, block)
    scoring.score([history])
    return (0..<(itemCount + block.count)).map { scoring.total[$0][0] }
  }
}

/// Scores up to as many histories as `Lanes` has elements: a lane each, items one after the other.
private struct OnlineScoring<Lanes: SIMD & Sendable> where Lanes.Scalar == Float {
  let model: OnlineModel
  let block: OnlineBlock
  /// Scores of catalogue and block.
  let total: LaneBuffer<Lanes>
  /// Of one part.
  let part: LaneBuffer<Lanes>
  /// EASE's scores; with the histories added they are what neighbours hand on.
  let ease: LaneBuffer<Lanes>

  let catalogueCount: Int
  let count: Int

  init(_ model: OnlineModel, _ block: OnlineBlock) {
    self.model = model
    self.block = block
    catalogueCount = model.itemCount
    count = catalogueCount + block.count
    total = LaneBuffer(count)
    part = LaneBuffer(count)
    ease = LaneBuffer(catalogueCount)
  }

  func rank(_ queries: [OnlineModel.Query]) -> [[RankedLists.Element]] {
    score(queries.map(\.history))
    let line = ScalarBuffer<Float>(count)
    return queries.enumerated().map { lane, query in
      if let allowed = query.allowed {
        for item in 0..<count {
          line.pointer[item] = allowed[item] ? total[item][lane] : -.infinity
        }
      } else {
        for item in 0..<count { line.pointer[item] = total[item][lane] }
      }
      for item in query.excluded { line.pointer[Int(item)] = -.infinity }
      let k = min(query.k, count)
      var selector = TopKSelector(k: k)
      selector.scan(line.pointer, count: count)
      var items = [Int32](repeating: 0, count: k)
      var scores = [Float](repeating: 0, count: k)
      let found = selector.finish(&items, &scores)
      return (0..<found).map { RankedLists.Element(item: items[$0], score: scores[$0]) }
    }
  }

  /// Writes ``total``.
  func score(_ histories: [OnlineHistory]) {
    for item in 0..<catalogueCount { total[item] = Lanes(repeating: model.base[item]) }
    for item in catalogueCount..<count { total[item] = Lanes(repeating: model.newBase) }
    let parts = model.coefficients.map(\.part)
    if parts.contains(where: { [.ease, .textSpread, .wordSpread, .textKernel].contains($0) }) {
      scoreEASE(histories)
    }
    let factors = model.foldIn.map { folded($0, histories) }
    // How much of the histories stands in `ease` beside EASE's scores.
    var historyShare: Float = 0
    for (name, coefficients) in model.coefficients {
      switch name {
      case .ease:
        for item in 0..<catalogueCount { part[item] = ease[item] }
        clearBlock()
      case .popularity:
        let counts = model.recommender.space.counts
        for item in 0..<catalogueCount { part[item] = Lanes(repeating: counts[item]) }
        clearBlock()
      case .als:
        product(factors, model.recommender.models.als.itemFactors, new: nil)
      case .ridge: product(factors, model.predicted, new: \.factors)
      case .textProfile: product(profiles(histories), model.white, new: \.white)
      case .tower:
        product(users(histories), model.recommender.space.towerVectors, new: \.towers)
      case .textSpread, .wordSpread, .textKernel, .wordNeighbours: continue
      }
      add(name, coefficients)
    }
    // What neighbours hand on: first the histories alone, then EASE's scores with them. The order of
    // the parts in a sum doesn't matter beyond rounding.
    for (name, coefficients) in model.coefficients {
      switch name {
      case .wordNeighbours:
        scoreWordNeighbours(histories)
      case .textSpread, .wordSpread:
        addHistories(histories, to: ease, times: 1 - historyShare)
        historyShare = 1
        let space = model.recommender.space
        let isText = name == .textSpread
        gather(
          isText ? space.textNeighbours : space.wordNeighbours,
          isText ? \.textNeighbours : \.wordNeighbours)
      case .textKernel:
        addHistories(histories, to: ease, times: ItemSpace.kernelHistoryShare - historyShare)
        historyShare = ItemSpace.kernelHistoryShare
        gather(model.recommender.space.kernelWeights, \.kernelWeights)
      default: continue
      }
      add(name, coefficients)
    }
  }

  private func clearBlock() {
    for item in catalogueCount..<count { part[item] = Lanes(repeating: 0) }
  }

  private func scoreEASE(_ histories: [OnlineHistory]) {
    for item in 0..<catalogueCount { ease[item] = Lanes(repeating: 0) }
    model.recommender.models.ease.weights.withView { view in
      for (lane, history) in histories.enumerated() {
        let column = ease.scalars + lane
        for entry in history.items {
          for n in view.range(Int(entry.item)) {
            column[Int(view.columns[n]) * Lanes.scalarCount] += entry.weight * view.values[n]
          }
        }
      }
    }
  }

  private func addHistories(
    _ histories: [OnlineHistory], to target: LaneBuffer<Lanes>, times factor: Float = 1
  ) {
    guard factor != 0 else { return }
    for (lane, history) in histories.enumerated() {
      for entry in history.items {
        target.scalars[Int(entry.item) * Lanes.scalarCount + lane] += factor * entry.weight
      }
    }
  }

  /// Each item's weighted mean of what its neighbours have.
  private func gather(
    _ weights: SparseMatrix, _ new: KeyPath<OnlineBlock.Part, OnlineBlock.Sparse>
  ) {
    weights.withView { view in
      for item in 0..<catalogueCount {
        var sum = Lanes(repeating: 0)
        for n in view.range(item) { sum += ease[Int(view.columns[n])] * view.values[n] }
        part[item] = sum
      }
    }
    gather(new, from: ease)
  }

  private func gather(
    _ new: KeyPath<OnlineBlock.Part, OnlineBlock.Sparse>, from source: LaneBuffer<Lanes>
  ) {
    var place = catalogueCount
    for own in block.parts {
      let rows = own[keyPath: new]
      for row in own.items.indices {
        var sum = Lanes(repeating: 0)
        for n in rows.offsets[row]..<rows.offsets[row + 1] {
          sum += source[Int(rows.items[n])] * rows.weights[n]
        }
        part[place] = sum
        place += 1
      }
    }
  }

  /// Sums of cosines by words from the histories' items.
  private func scoreWordNeighbours(_ histories: [OnlineHistory]) {
    let sources = LaneBuffer<Lanes>(catalogueCount)
    for item in 0..<catalogueCount { sources[item] = Lanes(repeating: 0) }
    addHistories(histories, to: sources)
    model.recommender.space.wordCosines.withView { view in
      for item in 0..<catalogueCount {
        var sum = Lanes(repeating: 0)
        for n in view.range(item) { sum += sources[Int(view.columns[n])] * view.values[n] }
        part[item] = sum
      }
    }
    gather(\.wordCosines, from: sources)
  }

  /// Products of the users' rows with those of catalogue and block.
  private func product(
    _ users: DenseMatrix?, _ items: DenseMatrix?, new: KeyPath<OnlineBlock.Part, DenseMatrix>?
  ) {
    guard let users, let items else {
      for item in 0..<count { part[item] = Lanes(repeating: 0) }
      return
    }
    users.withPointer { u in
      multiply(u, users.columnCount, items, into: part.scalars)
      guard let new else { return clearBlock() }
      var rest = part.scalars + catalogueCount * Lanes.scalarCount
      for own in block.parts {
        multiply(u, users.columnCount, own[keyPath: new], into: rest)
        rest += own.items.count * Lanes.scalarCount
      }
    }
  }

  private func multiply(
    _ users: UnsafePointer<Float>, _ width: Int, _ items: DenseMatrix,
    into target: UnsafeMutablePointer<Float>
  ) {
    items.withPointer { v in
      Float.gemm(
        transposeA: false, transposeB: true, m: items.rowCount, n: Lanes.scalarCount, k: width,
        alpha: 1, a: v, lda: max(width, 1), b: users, ldb: max(width, 1), beta: 0, c: target,
        ldc: Lanes.scalarCount)
    }
  }

  /// Rows of users, a lane each; lanes without a user are zeros.
  private func lanes(_ width: Int) -> DenseMatrix {
    DenseMatrix(rowCount: Lanes.scalarCount, columnCount: width)
  }

  private func matrix(_ histories: [OnlineHistory]) -> SparseMatrix {
    var offsets = [0]
    var columns: [Int32] = []
    var values: [Float] = []
    for history in histories {
      for entry in history.items {
        columns.append(entry.item)
        values.append(entry.weight)
      }
      offsets.append(columns.count)
    }
    return SparseMatrix(
      trustedRowCount: histories.count, columnCount: catalogueCount, offsets: offsets,
      columns: columns, values: values)
  }

  private func folded(_ foldIn: FactorFoldIn, _ histories: [OnlineHistory]) -> DenseMatrix {
    var result = lanes(foldIn.factorCount)
    result.withMutablePointer {
      foldIn.solve(matrix(histories), rows: 0..<histories.count, into: $0)
    }
    return result
  }

  /// Sums of the histories' unit text vectors, scaled to length 1.
  private func profiles(_ histories: [OnlineHistory]) -> DenseMatrix {
    let width = model.white.columnCount
    var result = lanes(width)
    result.withMutablePointer { rows in
      model.white.withPointer { vectors in
        for (lane, history) in histories.enumerated() {
          let row = rows + lane * width
          for entry in history.items {
            Float.axpy(width, entry.weight, vectors + Int(entry.item) * width, row)
          }
          for (item, value) in history.newItems { Float.axpy(width, value, item.white, row) }
          let norm = Float.dot(width, row, row).squareRoot()
          Float.scal(width, 1 / max(norm, 1e-9), row)
        }
      }
    }
    return result
  }

  /// The user tower's vectors: the histories' items are put into a small catalogue of their own.
  private func users(_ histories: [OnlineHistory]) -> DenseMatrix {
    let network = model.recommender.models.network
    let space = model.recommender.space
    let width = network.configuration.width
    var vectors: [Float] = []
    var embeddings: [Int32] = []
    var offsets = [0]
    for history in histories {
      for entry in history.items {
        vectors.append(contentsOf: space.towerVectors.row(Int(entry.item)))
        embeddings.append(model.embeddingRows[Int(entry.item)])
      }
      for (item, _) in history.newItems {
        vectors.append(contentsOf: item.tower)
        embeddings.append(-1)
      }
      offsets.append(embeddings.count)
    }
    let entries = SparseMatrix(
      trustedRowCount: histories.count, columnCount: embeddings.count, offsets: offsets,
      columns: (0..<Int32(embeddings.count)).map { $0 },
      values: [Float](repeating: 1, count: embeddings.count))
    let inputs = network.configuration.userInputs
    var features: DenseMatrix?
    if inputs > 0 {
      var rows = DenseMatrix(rowCount: histories.count, columnCount: inputs)
      for (row, history) in histories.enumerated() {
        guard let own = history.features, own.count == inputs else { continue }
        for d in 0..<inputs { rows[row, d] = own[d] }
      }
      features = rows
    }
    let users = network.userVectors(
      histories: entries,
      itemVectors: DenseMatrix(
        rowCount: embeddings.count, columnCount: width, values: vectors),
      embeddingRows: embeddings, features: features, weights: model.recommender.models.towers,
      workers: Workers(count: 1))
    return DenseMatrix(
      rowCount: Lanes.scalarCount, columnCount: width,
      values: users.values
        + [Float](repeating: 0, count: (Lanes.scalarCount - histories.count) * width))
  }

  /// Standardises ``part`` over the training catalogue, as ``FusedScorer`` does, and adds it.
  private func add(_ name: ScorePart, _ coefficients: [Float]) {
    let onlyWarm = !name.scoresNewItems
    // Sums of 256 items in Float, of those in Double: exact enough, and whole vectors at a time.
    var (sums, squares) = (LaneSums(Lanes.scalarCount), LaneSums(Lanes.scalarCount))
    model.warmMask.withUnsafeBufferPointer { mask in
      for first in stride(from: 0, to: catalogueCount, by: 256) {
        var (sum, square) = (Lanes(repeating: 0), Lanes(repeating: 0))
        for item in first..<min(first + 256, catalogueCount) {
          let value = onlyWarm ? part[item] * mask[item] : part[item]
          sum += value
          square += value * value
        }
        sums.add(sum)
        squares.add(square)
      }
    }
    let n = Double(onlyWarm ? model.warmItems.count : catalogueCount)
    var (scale, shift) = (Lanes(repeating: 0), Lanes(repeating: 0))
    for lane in 0..<Lanes.scalarCount {
      let mean = n > 0 ? sums.values[lane] / n : 0
      let variance = n > 0 ? max(0, squares.values[lane] / n - mean * mean) : 0
      guard variance > 1e-18 else { continue }
      scale[lane] = Float(1 / variance.squareRoot())
      shift[lane] = Float(mean)
    }
    coefficients.withUnsafeBufferPointer { coefficients in
      for item in 0..<catalogueCount {
        total[item] += (part[item] - shift) * scale * coefficients[item]
      }
    }
    let own = model.newCoefficients[name] ?? 0
    for item in catalogueCount..<count { total[item] += (part[item] - shift) * scale * own }
  }
}

/// Memory for a vector of lanes an item.
private final class LaneBuffer<Lanes: SIMD>: @unchecked Sendable where Lanes.Scalar == Float {
  private let pointer: UnsafeMutablePointer<Lanes>

  init(_ count: Int) { pointer = .allocate(capacity: max(count, 1)) }

  deinit { pointer.deallocate() }

  subscript(item: Int) -> Lanes {
    @inline(__always) get { pointer[item] }
    @inline(__always) set { pointer[item] = newValue }
  }

  /// The same memory, element by element: lane l of item i at i * lanes + l.
  var scalars: UnsafeMutablePointer<Float> {
    UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: Float.self)
  }
}

/// Sums a lane in Double.
private struct LaneSums {
  var values: [Double]

  init(_ count: Int) { values = [Double](repeating: 0, count: count) }

  mutating func add<Lanes: SIMD>(_ lanes: Lanes) where Lanes.Scalar == Float {
    for lane in 0..<Lanes.scalarCount { values[lane] += Double(lanes[lane]) }
  }
}
