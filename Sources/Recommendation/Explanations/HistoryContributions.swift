import EncoderModel
import Kernels

/// Shares a user's tower score among the items of the history.
///
/// The user vector is normalise(P [sum a v ; mean v] + F f + c). With q = P^T t for an item vector t,
/// entry j adds (a_j q_1 . v_j + q_2 . v_j / n) / length, and features and constant the rest: the sum is
/// the cosine.
struct HistoryContributions {
  /// The user's unit vector.
  let user: [Float]
  private let items: [Int32]
  private let recommender: Recommender
  /// Vectors of the history's entries with their embeddings, (entries, width).
  private let entries: [Float]
  private let attention: [Float]
  private let length: Float

  /// Runs the user tower on a history of one row; `features` is (1, userInputs).
  init(_ recommender: Recommender, history: SparseMatrix, features: DenseMatrix?) {
    self.recommender = recommender
    let models = recommender.models
    let network = models.network
    let width = network.configuration.width
    items = Array(history.columns(ofRow: 0).suffix(TowerNetwork.historyLimit))
    let arena = Arena<Float>(capacity: 0)
    let (rows, offsets) = recommender.space.towerVectors.withPointer {
      network.gather(
        history, 0..<1, $0, models.embeddingRows(recommender.space), models.towers, arena)
    }
    let row = features.map { table -> UnsafeMutablePointer<Float> in
      let copy = arena.take(table.columnCount)
      table.withPointer { copy.update(from: $0, count: table.columnCount) }
      return copy
    }
    let saved = network.user.forward(
      history: rows, offsets: offsets, features: row, weights: models.towers, arena: arena)
    user = Array(UnsafeBufferPointer(start: saved.y, count: width))
    entries = Array(UnsafeBufferPointer(start: rows, count: items.count * width))
    attention = Array(UnsafeBufferPointer(start: saved.attention, count: items.count))
    length = saved.norm[0]
  }

  /// The tower's score of an item.
  func score(_ item: Int32) -> Float {
    let vector = recommender.space.towerVectors.row(Int(item))
    return zip(user, vector).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// What the history doesn't contribute.
  func rest(_ item: Int32) -> Float { score(item) - contributions(item).reduce(0, +) }

  /// The contributions of the history's entries, in its order.
  func contributions(_ item: Int32) -> [Float] {
    let network = recommender.models.network
    let (width, weights) = (network.configuration.width, recommender.models.towers)
    var query = [Float](repeating: 0, count: 2 * width)
    Array(recommender.space.towerVectors.row(Int(item))).withUnsafeBufferPointer { target in
      guard let t = target.baseAddress else { return }
      Float.gemv(
        transpose: true, rows: width, columns: 2 * width, alpha: 1,
        a: weights[network.user.projection], lda: 2 * width, x: t, beta: 0, y: &query)
    }
    return query.withUnsafeBufferPointer { query in
      entries.withUnsafeBufferPointer { entries in
        guard let q = query.baseAddress, let v = entries.baseAddress else { return [] }
        return items.indices.map { n in
          let attended = attention[n] * Float.dot(width, q, v + n * width)
          let mean = Float.dot(width, q + width, v + n * width) / Float(items.count)
          return (attended + mean) / length
        }
      }
    }
  }

  /// The entries nearest to an item by tower vectors, at most `limit`, nearest first.
  func reasons(
    for item: Int32, limit: Int
  ) -> [(item: Int32, similarity: Float, contribution: Float, share: Float)] {
    let contributions = contributions(item)
    let total = contributions.reduce(0) { $0 + abs($1) }
    let vectors = recommender.space.towerVectors
    let width = vectors.columnCount
    let cosines = vectors.withPointer { base in
      items.map { Float.dot(width, base + Int($0) * width, base + Int(item) * width) }
    }
    let order = items.indices.filter { items[$0] != item }.sorted {
      (cosines[$1], items[$0]) < (cosines[$0], items[$1])
    }
    return order.prefix(limit).map {
      (
        items[$0], cosines[$0], contributions[$0], total > 0 ? contributions[$0] / total : 0
      )
    }
  }
}
