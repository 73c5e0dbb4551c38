import Kernels
import Recommendation
import TestSupport
import Testing

private struct RidgeGolden: Decodable {
  var inputs: GoldenMatrix
  var outputs: GoldenMatrix
  var users: GoldenMatrix
  var histories: GoldenSparse
  var held: [Bool]
  var weights: [Float]
  var predicted: GoldenMatrix
  var penalty: Double
  var ndcg: Double
  var chosen: GoldenMatrix
}

private struct WhiteningGolden: Decodable {
  var vectors: GoldenMatrix
  var fit: [Int32]
  var cosines: GoldenMatrix
  var cosines3: GoldenMatrix
}

@Suite struct RegressionTests {
  private let workers = Workers(count: 2)

  init() { BLAS.useSingleThread() }

  @Test func ridgeIsNumpys() throws {
    let golden = try Goldens.load("ridge", as: RidgeGolden.self)
    let model = try RidgeRegression.fit(
      inputs: golden.inputs.matrix, outputs: golden.outputs.matrix, weights: golden.weights,
      penalty: 2.5)
    let predicted = model.predict(golden.inputs.matrix, workers: workers)
    expectClose(predicted.values, golden.predicted.values, absolute: 1e-5)
  }

  @Test func penaltyIsChosenByHeldOutItems() throws {
    let golden = try Goldens.load("ridge", as: RidgeGolden.self)
    let model = try RidgeToFactors.fit(
      vectors: golden.inputs.matrix, itemFactors: golden.outputs.matrix,
      userFactors: golden.users.matrix, histories: golden.histories.matrix(), heldOut: golden.held,
      workers: workers)
    #expect(model.penalty == golden.penalty)
    expectClose(model.heldOutNDCG, golden.ndcg, absolute: 1e-6)
    let predicted = model.regression.predict(golden.inputs.matrix, workers: workers)
    expectClose(predicted.values, golden.chosen.values, absolute: 1e-5)
  }

  @Test func badRegressionsAreErrors() throws {
    let one = DenseMatrix(rowCount: 2, columnCount: 1, values: [1, 2])
    #expect(throws: RidgeError.weight(row: 1)) {
      try RidgeRegression.fit(inputs: one, outputs: one, weights: [1, 0], penalty: 1)
    }
    #expect(throws: RidgeError.penalty) {
      try RidgeRegression.fit(inputs: one, outputs: one, weights: [1, 1], penalty: 0)
    }
    let nan = DenseMatrix(rowCount: 2, columnCount: 1, values: [1, .nan])
    #expect(throws: RidgeError.notFinite) {
      try RidgeRegression.fit(inputs: nan, outputs: one, weights: [1, 1], penalty: 1)
    }
    let golden = try Goldens.load("ridge", as: RidgeGolden.self)
    #expect(throws: RidgeError.rows(fitted: 50, heldOut: 0)) {
      try RidgeToFactors.fit(
        vectors: golden.inputs.matrix, itemFactors: golden.outputs.matrix,
        userFactors: golden.users.matrix, histories: golden.histories.matrix(),
        heldOut: [Bool](repeating: false, count: 50), workers: workers)
    }
  }

  @Test("Whitened cosines are numpy's, by default and for 3 dimensions")
  func whitening() throws {
    let golden = try Goldens.load("whitening", as: WhiteningGolden.self)
    let vectors = golden.vectors.matrix
    let fitted = vectors.selectingRows(golden.fit)
    for (dimensions, kept, expected) in [(nil, 8, golden.cosines), (3, 3, golden.cosines3)] {
      let model = try Whitening.fit(fitted, dimensions: dimensions)
      #expect(model.matrix.columnCount == kept)
      let rows = model.apply(vectors, workers: workers)
      let cosines = rows.timesTranspose(rows, workers: workers)
      expectClose(cosines.values, expected.values, absolute: 2e-5, "\(kept) dimensions")
    }
  }

  @Test func vectorsThatCannotBeWhitened() {
    let one = DenseMatrix(rowCount: 1, columnCount: 2, values: [1, 2])
    #expect(throws: WhiteningError.rows(1)) { try Whitening.fit(one) }
    let nan = DenseMatrix(rowCount: 2, columnCount: 2, values: [1, 2, 3, .nan])
    #expect(throws: WhiteningError.notFinite(column: 1)) { try Whitening.fit(nan) }
  }
}
