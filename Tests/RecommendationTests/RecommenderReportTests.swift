import Datasets
import Foundation
import Kernels
import Metrics
import Recommendation
import TestSupport
import Testing

@Suite struct RecommenderReportTests {
  private let workers = Workers(count: 2)

  init() { BLAS.useSingleThread() }

  @Test("Points on a line have one direction; the other is at right angles to it")
  func principalPlane() throws {
    // 3, 4 and 0 make a direction of length 5; the last column varies by itself and less.
    var rows: [Float] = []
    for n in -10...10 {
      rows += [Float(3 * n + 7), Float(4 * n - 2), n % 2 == 0 ? 1 : -1]
    }
    let plane = try PrincipalPlane.fit(DenseMatrix(rowCount: 21, columnCount: 3, values: rows))
    for n in -10...10 {
      let beside: Double = (n % 2 == 0 ? 1.0 : -1.0) - 1.0 / 21
      expectClose(plane.points[n + 10].x, Double(5 * n), absolute: 1e-9)
      expectClose(plane.points[n + 10].y, beside, absolute: 1e-9)
    }
    // Sums of squares: 25 * 770 along the line, 21 - 1/21 beside it.
    let (along, beside) = (25.0 * 770, 21 - 1.0 / 21)
    expectClose(
      plane.shares, [along / (along + beside), beside / (along + beside)], absolute: 1e-12)
    #expect(throws: WhiteningError.notFinite(column: 1)) {
      try PrincipalPlane.fit(
        DenseMatrix(rowCount: 2, columnCount: 2, values: [0, .nan, 1, 2]))
    }
  }

  @Test("Reports of a run and of an evaluation have every part, and texts stay texts")
  func parts() throws {
    let board = Checkerboard()
    var splitting = ColdSplit.Options()
    splitting.coldFraction = 0.25
    splitting.coldValidationFraction = 0
    let split = try ColdSplit.make(
      board.behaviors, positive: PositiveRule(threshold: 1), options: splitting)
    let attack = "<script>alert(1)</script>"
    let items = ItemTable(
      ids: board.items.ids, texts: board.items.texts.map { "\($0) \(attack)" },
      features: FeatureTable(
        columns: [
          .init(
            name: "<kind>",
            values: (0..<board.items.count).map { $0 % 2 == 0 ? "<sea>" : "hill|other" })
        ], rowCount: board.items.count))
    let model = try Checkerboard.finetune(items, split.train)
    let inner = try #require(model.validation)
    #expect(inner.split.info == nil && inner.methods.first?.name == Evaluation.modelName)
    // The fusion and its parts were measured on the same users by other code.
    #expect(inner.methods.count > 5 && inner.methods.contains { $0.name == "ease" })
    expectClose(
      inner.methods.first?.report[.cold]?["ndcg@20"]?.mean ?? 0, model.metrics.coldNDCG,
      absolute: 0.02)
    #expect(inner.methods.first { $0.name == "popularity" }?.report[.warm]?.users ?? 0 > 0)

    var options = Evaluation.Options()
    options.baselines = [.popularity, .tfidfKNN]
    let outer = try Evaluation.run(
      model, on: try EvaluationSplit(split, catalogue: items.ids), options: options,
      workers: workers)
    #expect(outer.calibration.map(\.name).contains("new items"))
    let common = [
      "Summary", "New and known items", "Quality by item age", "Quality by user history",
      "Calibration", "Training", "Fusion", "Map of the items", "New items for some users", "Data",
      "Settings",
    ]
    for (evaluation, source) in [(inner, "validation inside"), (outer, "held-out test rows")] {
      let html = try RecommenderReport(
        model, evaluation: evaluation, records: model.records, name: "A & B", workers: workers
      ).page().html
      for title in common { #expect(html.contains(">\(title)</h2>"), "\(title)") }
      #expect(html.contains(source) && html.contains("A &amp; B"))
      #expect(!html.contains("<script") && html.contains("&lt;script&gt;"))
      #expect(html.contains("&lt;sea&gt;") && html.contains("&lt;kind&gt;"))
    }
    // Every held-out item of a user's topic is a new item that pleases: samples say so.
    let html = try RecommenderReport(
      model, evaluation: outer, records: [], name: "m", workers: workers
    ).page().html
    #expect(html.contains("<td>yes</td>") && !html.contains(">Training</h2>"))
  }
}
