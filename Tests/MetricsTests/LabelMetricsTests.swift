import Metrics
import TestSupport
import Testing

private struct LabelGolden: Decodable {
  let probabilities: [Double]
  let labels: [Int]
  let accuracy: Double
  let precision: Double
  let recall: Double
  let f1: Double
  let logLoss: Double
  let brier: Double
  let auc: Double
  let ece: Double
  let targets: [Double]
  let predictions: [Double]
  let mae: Double
  let mse: Double

  enum CodingKeys: String, CodingKey {
    case probabilities, labels, accuracy, precision, recall, f1, brier, auc, ece, targets
    case predictions, mae, mse
    case logLoss = "log_loss"
  }
}

@Suite struct LabelMetricsTests {
  @Test func asScikitLearn() throws {
    let golden = try golden("labels.json", as: LabelGolden.self)
    let metrics = BinaryLabelMetrics(
      probabilities: golden.probabilities, isTrue: golden.labels.map { $0 == 1 })
    expectClose(metrics.accuracy, golden.accuracy, absolute: 1e-12)
    expectClose(metrics.precision, golden.precision, absolute: 1e-12)
    expectClose(metrics.recall, golden.recall, absolute: 1e-12)
    expectClose(metrics.f1, golden.f1, absolute: 1e-12)
    expectClose(metrics.logLoss, golden.logLoss, absolute: 1e-9)
    expectClose(metrics.brier, golden.brier, absolute: 1e-12)
    expectClose(metrics.auc, golden.auc, absolute: 1e-12)
    expectClose(metrics.calibrationError, golden.ece, absolute: 1e-12)
    let ratings = RatingMetrics(predictions: golden.predictions, targets: golden.targets)
    expectClose(ratings.mae, golden.mae, absolute: 1e-12)
    expectClose(ratings.mse, golden.mse, absolute: 1e-12)
    expectClose(ratings.rmse, golden.mse.squareRoot(), absolute: 1e-12)
  }

  @Test func oneClassAndEdges() {
    let metrics = BinaryLabelMetrics(probabilities: [0, 1, 0.2], isTrue: [false, false, false])
    #expect(metrics.precision == 0)
    #expect(metrics.recall == 0)
    #expect(metrics.f1 == 0)
    #expect(metrics.auc.isNaN)
    #expect(metrics.logLoss.isFinite)
    expectClose(metrics.accuracy, 2.0 / 3, absolute: 1e-12)
  }

  @Test func areaUnderTheCurveByHand() {
    // Pairs: (0.5, 0.5) half, (0.5, 0.1) right, (0.9, both) right: 3.5 of 4.
    #expect(rocAUC(scores: [0.5, 0.5, 0.1, 0.9], isTrue: [true, false, false, true]) == 0.875)
  }

  @Test func exposureByHand() {
    #expect(Exposure(counts: [2, 2, 2]).gini == 0)
    #expect(Exposure(counts: [2, 2, 2]).coverage == 1)
    // x = 0, 0, 0, 8: (-3 - 1 + 1 + 3 x) / ... = 3 x 8 / (4 x 8).
    #expect(Exposure(counts: [0, 8, 0, 0]).gini == 0.75)
    #expect(Exposure(counts: [0, 8, 0, 0]).coverage == 0.25)
    #expect(Exposure(counts: [0, 0]).gini.isNaN)
  }
}
