import Datasets
import EncoderModel
import Kernels
import Recommendation
import TestSupport
import Testing

/// What reasons claim, checked: sums against scores, effects against scores without, words by deletion.
@Suite struct ExplanationTests {
  private let workers = Workers(count: 2)

  private func model() throws -> Recommender {
    let board = Checkerboard()
    var options = ColdSplit.Options()
    options.coldFraction = 0.25
    options.coldValidationFraction = 0
    options.warmFraction = 0
    let split = try ColdSplit.make(
      board.behaviors, positive: PositiveRule(threshold: 1), options: options)
    return try Checkerboard.finetune(board.items, split.train, adapters: .bottleneck)
  }

  private func userVector(_ model: Recommender, _ history: SparseMatrix) -> [Float] {
    Array(
      model.models.network.userVectors(
        histories: history, itemVectors: model.space.towerVectors,
        embeddingRows: (0..<model.items.count).map { model.space.counts[$0] > 0 ? Int32($0) : -1 },
        features: nil, weights: model.models.towers, workers: workers
      ).row(0))
  }

  @Test func sumsAreTheScores() throws {
    let model = try model()
    let scores = try model.scorer(userFeatures: nil, workers: workers)
      .scores(model.histories, workers: workers)
    let items = (0..<Int32(model.items.count)).map { $0 }
    var options = Explainer.Options()
    options.neighbours = 1000
    options.words = false
    options.measuresEffects = false
    let explainer = Explainer(model, options: options, workers: workers)
    for row in [0, 5] {
      let user = userVector(model, model.histories.selectingRows([Int32(row)]))
      for reason in try explainer.explain(items, histories: model.histories, row: row) {
        let item = Int(reason.item)
        expectClose(reason.score, scores[row, item], absolute: 1e-3, "score of \(item)")
        expectClose(
          reason.parts.reduce(reason.shift) { $0 + $1.contribution }, reason.score,
          absolute: 1e-4, "parts of \(item)")
        let cosine = zip(user, model.space.towerVectors.row(item)).reduce(Float(0)) {
          $0 + $1.0 * $1.1
        }
        expectClose(reason.towerScore, cosine, absolute: 1e-5, "tower score of \(item)")
        guard !model.histories.columns(ofRow: row).contains(reason.item) else { continue }
        #expect(reason.history.count == model.histories.columns(ofRow: row).count)
        expectClose(
          reason.history.reduce(reason.towerRest) { $0 + $1.contribution }, reason.towerScore,
          absolute: 1e-5, "history of \(item)")
        expectClose(
          reason.history.reduce(0) { $0 + abs($1.share) }, 1, absolute: 1e-4, "shares of \(item)")
        let similarities = reason.history.map(\.similarity)
        #expect(similarities == similarities.sorted(by: >))
      }
    }
  }

  @Test("The rest is the constant alone: a user without a history owes the score to it")
  func emptyHistory() throws {
    let model = try model()
    let nobody = try SparseMatrix(histories: [[]], columnCount: model.items.count)
    let reason = try Explainer(model, workers: workers).explain([3], histories: nobody, row: 0)[0]
    #expect(reason.history.isEmpty)
    expectClose(reason.towerRest, reason.towerScore, absolute: 1e-6)
  }

  @Test func effectsAreScoresWithoutTheItem() throws {
    let model = try model()
    let own = Array(model.histories.columns(ofRow: 0))
    let cold = (0..<Int32(model.items.count)).filter { model.space.counts[Int($0)] == 0 }
    let item = try #require(cold.first)
    let reason = try Explainer(model, workers: workers)
      .explain([item], histories: model.histories, row: 0)[0]
    #expect(reason.history.count == 5)
    for one in reason.history {
      let shorter = try SparseMatrix(
        histories: [own.filter { $0 != one.item }], columnCount: model.items.count)
      let score = try model.scorer(userFeatures: nil, workers: workers)
        .scores(shorter, workers: workers)[0, Int(item)]
      expectClose(try #require(one.effect), reason.score - score, absolute: 1e-3)
    }
  }

  @Test("Attributions sum to the difference from the masked text (the completeness axiom)")
  func completeness() throws {
    let model = try model()
    let user = userVector(model, model.histories.selectingRows([0]))
    let attributor = WordAttributor(model, user: user, steps: 200, checked: 0, workers: workers)
    for item in [0, 7, 20] {
      let text = model.items.texts[item]
      let found = attributor.attributions(text, features: nil)
      let ends = attributor.ends(text, features: nil)
      expectClose(found.reduce(0, +), ends.whole - ends.masked, absolute: 2e-3, text)
      #expect(abs(ends.whole - ends.masked) > 0.02, "\(ends)")
      #expect(found.first == 0 && found.last == 0)
      expectClose(
        ends.whole, attributor.scores([text], features: nil)[0], absolute: 1e-4, "score")
    }
  }

  @Test("Deleting the word with the highest attribution costs more than deleting another one")
  func deletion() throws {
    let model = try model()
    var (highest, other) = (0.0, 0.0)
    var count = 0.0
    for row in 0..<4 {
      let history = model.histories.selectingRows([Int32(row)])
      let attributor = WordAttributor(
        model, user: userVector(model, history), steps: 32, checked: 0, workers: workers)
      for item in model.items.texts.indices where item % 2 == row % 2 {
        let words = model.items.texts[item].split(separator: " ").map(String.init)
        let text = model.items.texts[item]
        let found = attributor.attributions(text, features: nil)
        // One piece a word, behind [CLS].
        let best = try #require(
          words.indices.max { found[$0 + 1] < found[$1 + 1] })
        let shorter = words.indices.map { left in
          words.indices.filter { $0 != left }.map { words[$0] }.joined(separator: " ")
        }
        let scores = attributor.scores([text] + shorter, features: nil)
        let effects = scores.dropFirst().map { Double(scores[0] - $0) }
        highest += effects[best]
        // The mean is what a word drawn at random costs.
        other += effects.reduce(0, +) / Double(effects.count)
        count += 1
      }
    }
    #expect(highest / count > 2 * max(other / count, 0), "\(highest / count), \(other / count)")
    #expect(highest / count > 0.01)
  }

  @Test func wordsAreThoseOfTheText() throws {
    var model = try model()
    let text = "The  sea3\tITEM sea5\u{3000}hill2"
    try model.addItems(
      ItemTable(ids: IDTable(["x", "empty"]), texts: [text, ""]), workers: workers)
    let place = Int32(model.items.count)
    let reasons = try Explainer(model, workers: workers).explain(
      [place - 2, place - 1], histories: model.histories, row: 0)
    #expect(reasons[0].words.map(\.word) == ["The", "sea3", "ITEM", "sea5", "hill2"])
    #expect(reasons[0].words.filter { $0.effect != nil }.count == 3)
    #expect(reasons[1].words.isEmpty)
    let named = reasons[0].named(in: model)
    #expect(named.itemID == "x" && named.words.map(\.word) == reasons[0].words.map(\.word))
    #expect(throws: RecommenderError.self) {
      try Explainer(model, workers: workers).explain([place], histories: model.histories, row: 0)
    }
  }
}
