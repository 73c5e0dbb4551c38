import Kernels
import Recommendation
import TestSupport
import Testing

private struct EASEGolden: Decodable {
  var histories: GoldenSparse
  var gram: GoldenMatrix
  var penalty: Double
  var weights: GoldenMatrix
  var wide: GoldenMatrix
}

@Suite struct EASETests {
  private let golden: EASEGolden
  private let histories: SparseMatrix

  init() throws {
    BLAS.useSingleThread()
    golden = try Goldens.load("ease", as: EASEGolden.self)
    histories = try golden.histories.matrix()
  }

  private func options(keep: Int, doubleUpTo: Int = 6000) -> EASE.Options {
    var options = EASE.Options()
    options.penalty = golden.penalty
    options.keep = keep
    options.doubleUpTo = doubleUpTo
    return options
  }

  @Test func gramCountsUsersWithBothItems() {
    let gram = histories.gram(workers: Workers(count: 2))
    #expect(gram.values == golden.gram.values)
  }

  @Test("All weights, computed in Double and in Float, are numpy's", arguments: [6000, 0])
  func matchesNumpy(_ doubleUpTo: Int) throws {
    let model = try EASE.fit(
      histories, options: options(keep: 40, doubleUpTo: doubleUpTo), workers: Workers(count: 2))
    let bound: Float = doubleUpTo > 0 ? 1e-7 : 1e-5
    expectClose(
      model.weights.dense().values, golden.weights.values, absolute: bound, relative: bound)
    expectClose(model.keptShare, 1, absolute: 1e-6)
  }

  @Test func penaltyIsTheOption() throws {
    var chosen = options(keep: 40)
    chosen.penalty = 200
    let model = try EASE.fit(histories, options: chosen, workers: Workers(count: 1))
    expectClose(model.weights.dense().values, golden.wide.values, absolute: 1e-7)
  }

  @Test func keepsTheStrongestOfEachColumn() throws {
    let model = try EASE.fit(histories, options: options(keep: 5), workers: Workers(count: 2))
    let all = golden.weights.matrix
    var keptSum: Float = 0
    var sum: Float = 0
    for column in 0..<40 {
      let sizes = (0..<40).map { abs(all[$0, column]) }
      let fifth = sizes.sorted(by: >)[4]
      for row in 0..<40 {
        let kept = model.weights.dense()[row, column]
        sum += sizes[row]
        keptSum += sizes[row] >= fifth ? sizes[row] : 0
        let expected = sizes[row] >= fifth ? all[row, column] : 0
        expectClose(kept, expected, absolute: 1e-6, "(\(row), \(column))")
      }
    }
    expectClose(Float(model.keptShare), keptSum / sum, absolute: 1e-5)
  }

  @Test func onlyTheMostFrequentItemsTakePart() throws {
    var chosen = options(keep: 40)
    chosen.maximumItems = 10
    let model = try EASE.fit(histories, options: chosen, workers: Workers(count: 2))
    let counts = histories.columnSums()
    let order = counts.indices.sorted { (counts[$0], $1) > (counts[$1], $0) }
    let chosenItems = Set(order.prefix(10).map { Int32($0) })
    #expect(Set(model.weights.columns) == chosenItems)
    // They are the weights of these items alone.
    let alone = try EASE.fit(
      histories.selectingColumns(chosenItems.sorted()), options: options(keep: 40),
      workers: Workers(count: 1))
    #expect(model.weights.values == alone.weights.values)
  }

  @Test func badOptionsAreErrors() {
    var chosen = options(keep: 3)
    chosen.penalty = 0
    #expect(throws: EASEError.penalty(0)) {
      try EASE.fit(histories, options: chosen, workers: Workers(count: 1))
    }
    #expect(throws: EASEError.keep(0)) {
      try EASE.fit(histories, options: options(keep: 0), workers: Workers(count: 1))
    }
  }

  @Test func sumsBeyondTheRangeAreErrors() throws {
    let huge = try SparseMatrix(
      rowCount: 1, columnCount: 2,
      entries: [.init(row: 0, column: 0, value: 1e30), .init(row: 0, column: 1, value: 1e30)])
    #expect(throws: EASEError.notPositiveDefinite(penalty: golden.penalty)) {
      try EASE.fit(huge, options: options(keep: 1, doubleUpTo: 0), workers: Workers(count: 1))
    }
  }

  @Test func noBehavioursNoWeights() throws {
    let empty = try SparseMatrix(rowCount: 3, columnCount: 4, entries: [])
    let model = try EASE.fit(empty, workers: Workers(count: 2))
    #expect(model.itemCount == 4)
    #expect(
      model.scores(empty, workers: Workers(count: 1)).values == [Float](repeating: 0, count: 12))
  }
}
