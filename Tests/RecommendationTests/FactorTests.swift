import Kernels
import Recommendation
import TestSupport
import Testing

private struct ALSGolden: Decodable {
  struct Case: Decodable {
    var histories: GoldenSparse
    var alpha: Float
    var regularization: Float
    var iterations: Int
    var users0: GoldenMatrix
    var items0: GoldenMatrix
    var users: GoldenMatrix
    var items: GoldenMatrix

    var start: ImplicitALS {
      var options = ImplicitALS.Options()
      options.alpha = alpha
      options.regularization = regularization
      options.iterations = iterations
      return ImplicitALS(
        options: options, userFactors: users0.matrix, itemFactors: items0.matrix)
    }
  }
  var cases: [Case]
  var newUsers: GoldenSparse
  var newItems: GoldenSparse
  var newUserFactors: GoldenMatrix
  var newItemFactors: GoldenMatrix
}

@Suite struct FactorTests {
  private let golden: ALSGolden

  init() throws {
    BLAS.useSingleThread()
    golden = try Goldens.load("als", as: ALSGolden.self)
  }

  @Test(
    "The factors are implicit's, also with dislikes and confidences below 1", arguments: [0, 1])
  func matchesImplicit(_ index: Int) throws {
    let expected = golden.cases[index]
    let model = try expected.start.fitted(
      to: expected.histories.matrix(), workers: Workers(count: 2))
    expectClose(
      model.userFactors.values, expected.users.values, absolute: 2e-4, relative: 1e-3, "users")
    expectClose(
      model.itemFactors.values, expected.items.values, absolute: 2e-4, relative: 1e-3, "items")
  }

  @Test func foldInIsRecalculateUserAndItem() throws {
    let expected = golden.cases[0]
    var options = expected.start.options
    options.iterations = 0
    let model = ImplicitALS(
      options: options, userFactors: expected.users.matrix, itemFactors: expected.items.matrix)
    let workers = Workers(count: 2)
    let users = try model.userFoldIn(workers: workers)
      .factors(golden.newUsers.matrix(), workers: workers)
    expectClose(
      users.values, golden.newUserFactors.values, absolute: 1e-4, relative: 1e-3, "users")
    let items = try model.itemFoldIn(workers: workers)
      .factors(golden.newItems.matrix(), workers: workers)
    expectClose(
      items.values, golden.newItemFactors.values, absolute: 1e-4, relative: 1e-3, "items")

    // Scoring by history is scoring by the factors that implicit recalculates.
    let scores = try FactorScorer(foldingInto: model, workers: workers)
      .scores(golden.newUsers.matrix(), workers: workers)
    let direct = golden.newUserFactors.matrix.timesTranspose(
      expected.items.matrix, workers: workers)
    expectClose(scores.values, direct.values, absolute: 1e-4, relative: 1e-3, "scores")
  }

  @Test func sameFactorsForAnyNumberOfWorkers() throws {
    let expected = golden.cases[0]
    let histories = try expected.histories.matrix()
    let one = try expected.start.fitted(to: histories, workers: Workers(count: 1))
    let three = try expected.start.fitted(to: histories, workers: Workers(count: 3))
    #expect(one == three)
  }

  @Test func seedDecidesTheStartAndTheStartTheModel() throws {
    let histories = try golden.cases[0].histories.matrix()
    var options = ImplicitALS.Options()
    options.factorCount = 4
    options.iterations = 2
    func fit(_ seed: UInt64) throws -> ImplicitALS {
      var generator = TestGenerator(seed: seed)
      return try ImplicitALS.fit(
        histories, options: options, using: &generator, workers: Workers(count: 2))
    }
    #expect(try fit(1) == fit(1))
    #expect(try fit(1) != fit(2))
  }

  @Test func singularEquationsAndBadOptionsAreErrors() throws {
    let histories = try golden.cases[0].histories.matrix()
    var options = ImplicitALS.Options()
    options.regularization = 0
    let zeros = ImplicitALS(
      options: options, userFactors: DenseMatrix(rowCount: 60, columnCount: 3),
      itemFactors: DenseMatrix(rowCount: 40, columnCount: 3))
    #expect(throws: ALSError.notPositiveDefinite(regularization: 0)) {
      try zeros.fitted(to: histories, workers: Workers(count: 1))
    }
    let damaged = DenseMatrix(rowCount: 2, columnCount: 1, values: [1, .nan])
    #expect(throws: ALSError.notPositiveDefinite(regularization: 0)) {
      try FactorFoldIn(
        factors: damaged, regularization: 0, alpha: 1, workers: Workers(count: 1))
    }
    options.factorCount = 0
    #expect(throws: ALSError.self) {
      var generator = TestGenerator(seed: 1)
      _ = try ImplicitALS.fit(
        histories, options: options, using: &generator, workers: Workers(count: 1))
    }
  }
}

/// SplitMix64, for tests that need chance.
struct TestGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// A number from 0 up to 1.
  mutating func unit() -> Float { Float(next() >> 40) * 0x1p-24 }
}
