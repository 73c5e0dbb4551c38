import Datasets
import EncoderModel
import Kernels
import Tokenization

/// Shares the tower's score of an item among the words of its text, by integrated gradients.
///
/// Sundararajan, Taly and Yan, "Axiomatic Attribution for Deep Networks", ICML 2017: the gradient of
/// score = user . tower(pool(encoder(x))) along the straight path from the embeddings of a text whose
/// pieces are all [MASK] to those of the text, times the difference. Attributions sum to the difference
/// of the two scores, up to the error of the midpoint rule. Pooling weights and features stay as they
/// are.
package struct WordAttributor: Sendable {
  private let recommender: Recommender
  private let user: [Float]
  private let steps: Int
  private let checked: Int
  private let workers: Workers

  package init(
    _ recommender: Recommender, user: [Float], steps: Int, checked: Int, workers: Workers
  ) {
    self.recommender = recommender
    self.user = user
    self.steps = max(1, steps)
    self.checked = checked
    self.workers = workers
  }

  /// The words of items' texts with their attributions, the strongest ones deleted to see what they do; an item
  /// a worker at once.
  func words(_ items: [Int32]) -> [[Explanation.Word]] {
    let texts = items.map { recommender.items.texts[Int($0)] }
    let words = texts.map { TextWords($0, tokenizer: recommender.model.tokenizer) }
    let features = items.map(features)
    var sums = [[Float]](repeating: [], count: items.count)
    sums.withUnsafeMutableBufferPointer { sums in
      nonisolated(unsafe) let sums = sums
      workers.run { worker in
        let arena = Arena<Float>()
        for n in stride(from: worker, to: items.count, by: workers.count)
        where words[n].pieces.contains(where: { $0 > 0 }) {
          let tokens = attributions(texts[n], features: features[n], arena: arena)
          sums[n] = WordAttributor.sums(tokens, pieces: words[n].pieces)
        }
      }
    }
    return items.indices.map { n in
      // A text of one word would have no text left.
      let order = sums[n].indices.sorted { (abs(sums[n][$1]), $0) < (abs(sums[n][$0]), $1) }
      let tried = order.count > 1 ? Array(order.prefix(checked)) : []
      var effects = [Float?](repeating: nil, count: sums[n].count)
      if !tried.isEmpty {
        // The whole text and those without a word go the same way, so that their rounding is the same.
        let scores = scores(
          [texts[n]] + tried.map { words[n].deleting($0) }, features: features[n])
        for (place, word) in tried.enumerated() { effects[word] = scores[0] - scores[place + 1] }
      }
      return sums[n].indices.map {
        Explanation.Word(
          word: words[n].words[$0], attribution: sums[n][$0], effect: effects[$0])
      }
    }
  }

  /// Attributions of words, given those of tokens with [CLS] before them and how many pieces each word has.
  private static func sums(_ tokens: [Float], pieces: [Int]) -> [Float] {
    var token = 1
    return pieces.map { count in
      var sum: Float = 0
      for _ in 0..<count where token < tokens.count - 1 {
        sum += tokens[token]
        token += 1
      }
      return sum
    }
  }

  /// The row of features of an item and of its vectors from elsewhere, or nil.
  private func features(_ item: Int32) -> DenseMatrix? {
    let table = recommender.items.features.map { FeatureRow.row(Int(item), of: $0) }
    let columns = recommender.itemSchema.map { schema in
      schema.rows(of: table ?? FeatureTable(columns: [], rowCount: 1))
    }
    return DenseMatrix.beside(columns, recommender.vectorFeatures?.selectingRows([item]))
  }

  /// Tower scores of texts under the features of one item.
  package func scores(_ texts: [String], features: DenseMatrix?) -> [Float] {
    guard !texts.isEmpty else { return [] }
    let rows = features.map { $0.selectingRows([Int32](repeating: 0, count: texts.count)) }
    let vectors = recommender.embed(texts, features: rows, workers: workers).towers
    return (0..<texts.count).map { row in
      zip(user, vectors.row(row)).reduce(0) { $0 + $1.0 * $1.1 }
    }
  }

  /// Attributions of a text's tokens, [CLS] and [SEP] included.
  package func attributions(_ text: String, features: DenseMatrix?) -> [Float] {
    attributions(text, features: features, arena: Arena<Float>())
  }

  private func attributions(
    _ text: String, features: DenseMatrix?, arena: Arena<Float>
  ) -> [Float] {
    // The gradient changes most in the middle of the way and little at its ends, so that points spread evenly do better
    // than those of Gauss and Legendre.
    let points = (0..<steps).map { (Double($0) + 0.5) / Double(steps) }
    let path = walk(text, features: features, at: points, arena: arena)
    return path.differences.map { Float($0.reduce(0, +) / Double(steps)) }
  }

  /// The tower's score of a text whose pieces are all [MASK], pooled as the text is, and that of the text.
  package func ends(_ text: String, features: DenseMatrix?) -> (masked: Float, whole: Float) {
    let path = walk(text, features: features, at: [0, 1], arena: Arena<Float>())
    return (path.scores[0], path.scores[1])
  }

  /// Scores at some points of the way from the masked text (0) to the text (1), and for each token and point
  /// the gradient times the difference of the token's embeddings at both ends.
  private func walk(
    _ text: String, features: DenseMatrix?, at points: [Double], arena: Arena<Float>
  ) -> (scores: [Float], differences: [[Double]]) {
    let model = recommender.model
    let ids = model.tokenizer.encode(text, maximumLength: recommender.maximumLength)
    let masked = ids.indices.map {
      $0 == 0 || $0 == ids.count - 1 ? ids[$0] : model.tokenizer.vocabulary.maskID
    }
    arena.reset()
    let width = model.configuration.hiddenSize
    let size = ids.count * width
    func embedded(_ ids: [Int32]) -> UnsafeMutablePointer<Float> {
      model.encoder.infer(
        PackedBatch([ids]), weights: model.weights, adapters: recommender.adapters,
        layers: 0..<0, arena: arena)
    }
    let (x, x0) = (embedded(ids), embedded(masked))
    let hidden = arena.take(points.count * size)
    for (row, point) in points.enumerated() {
      let share = Float(point)
      for n in 0..<size { hidden[row * size + n] = x0[n] + share * (x[n] - x0[n]) }
    }
    let (scores, gradients) = ItemPath(recommender).run(
      PackedBatch([[Int32]](repeating: ids, count: points.count)), hidden: hidden,
      features: features, user: user, arena: arena)
    let differences = ids.indices.map { token in
      points.indices.map { row in
        var sum = 0.0
        for place in (token * width)..<((token + 1) * width) {
          sum += Double(gradients[row * size + place]) * Double(x[place] - x0[place])
        }
        return sum
      }
    }
    return (scores, differences)
  }
}
