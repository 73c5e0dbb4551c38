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
package struct WordAttributor {
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

  /// The words of an item's text with their attributions, the strongest ones deleted to see what they do.
  func words(_ item: Int32) -> [Explanation.Word] {
    let text = recommender.items.texts[Int(item)]
    let words = TextWords(text, tokenizer: recommender.model.tokenizer)
    guard words.pieces.contains(where: { $0 > 0 }) else { return [] }
    let features = features(item)
    let (tokens, score, _) = attributions(text, features: features)
    var sums = [Float](repeating: 0, count: words.words.count)
    var token = 1  // behind [CLS]
    for (n, count) in words.pieces.enumerated() {
      for _ in 0..<count where token < tokens.count - 1 {
        sums[n] += tokens[token]
        token += 1
      }
    }
    let order = sums.indices.sorted { (abs(sums[$1]), $0) < (abs(sums[$0]), $1) }
    // A text of one word would have no text left.
    let tried = words.words.count > 1 ? Array(order.prefix(checked)) : []
    let without = scores(tried.map { words.deleting($0) }, features: features)
    var effects = [Float?](repeating: nil, count: sums.count)
    for (n, word) in tried.enumerated() { effects[word] = score - without[n] }
    return sums.indices.map {
      Explanation.Word(word: words.words[$0], attribution: sums[$0], effect: effects[$0])
    }
  }

  /// The row of features of an item, or nil.
  private func features(_ item: Int32) -> DenseMatrix? {
    guard let schema = recommender.itemSchema, let table = recommender.items.features else {
      return nil
    }
    let row = FeatureRow.row(Int(item), of: table)
    return schema.rows(of: row)
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

  /// Attributions of a text's tokens, [CLS] and [SEP] included; the score, and that of the masked text.
  package func attributions(
    _ text: String, features: DenseMatrix?
  ) -> (tokens: [Float], score: Float, baseline: Float) {
    let model = recommender.model
    let limit = min(recommender.options.maximumLength, model.sentence.maximumLength)
    let ids = model.tokenizer.encode(text, maximumLength: limit)
    let masked = ids.indices.map {
      $0 == 0 || $0 == ids.count - 1 ? ids[$0] : model.tokenizer.vocabulary.maskID
    }
    let arena = Arena<Float>(capacity: 0)
    let size = ids.count * model.configuration.hiddenSize
    func embedded(_ ids: [Int32]) -> UnsafeMutablePointer<Float> {
      model.encoder.infer(
        PackedBatch([ids]), weights: model.weights, layers: 0..<0, arena: arena)
    }
    let (x, x0) = (embedded(ids), embedded(masked))
    // Row 0 is the masked text, row 1 the text itself, then the points between.
    let rows = steps + 2
    let hidden = arena.take(rows * size)
    for row in 0..<rows {
      let share: Float = row < 2 ? Float(row) : (Float(row - 2) + 0.5) / Float(steps)
      for n in 0..<size { hidden[row * size + n] = x0[n] + share * (x[n] - x0[n]) }
    }
    let batch = PackedBatch([[Int32]](repeating: ids, count: rows))
    let path = ItemPath(recommender)
    let (scores, gradients) = path.run(
      batch, hidden: hidden, features: features, user: user, arena: arena)
    let width = model.configuration.hiddenSize
    var tokens = [Float](repeating: 0, count: ids.count)
    for token in ids.indices {
      var sum = 0.0
      for row in 2..<rows {
        for d in 0..<width {
          let place = token * width + d
          sum += Double(gradients[row * size + place]) * Double(x[place] - x0[place])
        }
      }
      tokens[token] = Float(sum / Double(steps))
    }
    return (tokens, scores[1], scores[0])
  }
}
