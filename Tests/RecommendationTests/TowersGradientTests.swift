import EncoderModel
import Kernels
import Recommendation
import TestSupport
import Testing

/// Both towers and the network around them against central differences in Double: every weight, the
/// items' inputs and the history vectors.
@Suite struct TowersGradientTests {
  private let check = GradientCheck(tolerance: 1e-7)
  private let arena = Arena<Double>()

  init() { BLAS.useSingleThread() }

  private func configuration(users: Int) -> TowerConfiguration {
    TowerConfiguration(itemInputs: 5, userInputs: users, hidden: 6, width: 4, historyItems: 7)
  }

  /// Random weights under a table.
  private func store(_ table: ParameterTable, seed: UInt64) -> ParameterStore<Double> {
    let store = ParameterStore<Double>(table)
    store.fill(randomVector(store.count, seed: seed, scale: 0.7))
    return store
  }

  @Test func itemTower() {
    var table = ParameterTable()
    let tower = ItemTower(configuration(users: 0), in: &table)
    let weights = store(table, seed: 1)
    let gradients = ParameterStore<Double>(table)
    let x = TestBuffer(randomVector(3 * 5, seed: 2))
    let projection = randomVector(3 * 4, seed: 3)
    func loss() -> Double {
      arena.reset()
      let saved = tower.forward(x: x.pointer, rows: 3, weights: weights, arena: arena)
      return GradientCheck.project(
        Array(UnsafeBufferPointer(start: saved.y, count: 12)), on: projection)
    }
    arena.reset()
    let saved = tower.forward(x: x.pointer, rows: 3, weights: weights, arena: arena)
    let dx = TestBuffer<Double>(zeros: 15)
    tower.backward(
      dx: dx.pointer, dy: TestBuffer(projection).pointer, saved: saved, weights: weights,
      gradients: gradients, arena: arena)
    check.expect("inputs", input: x.values, gradient: dx.values) {
      x.pointer.update(from: $0, count: 15)
      return loss()
    }
    x.pointer.update(from: randomVector(3 * 5, seed: 2), count: 15)
    check.expect("weights", input: weights.array, gradient: gradients.array) {
      weights.fill($0)
      return loss()
    }
  }

  @Test("Histories of three items, one and none", arguments: [0, 2])
  func userTower(_ features: Int) {
    var table = ParameterTable()
    let tower = UserTower(configuration(users: features), in: &table)
    let weights = store(table, seed: 4)
    let gradients = ParameterStore<Double>(table)
    let history = TestBuffer(randomVector(4 * 4, seed: 5))
    let rows = TestBuffer(randomVector(3 * max(features, 1), seed: 6))
    let projection = randomVector(3 * 4, seed: 7)
    func forward() -> UserTower.Saved<Double> {
      arena.reset()
      return tower.forward(
        history: history.pointer, offsets: [0, 3, 4, 4],
        features: features > 0 ? rows.pointer : nil, weights: weights, arena: arena)
    }
    func loss() -> Double {
      GradientCheck.project(
        Array(UnsafeBufferPointer(start: forward().y, count: 12)), on: projection)
    }
    let dHistory = TestBuffer<Double>(zeros: 16)
    tower.backward(
      dHistory: dHistory.pointer, dy: TestBuffer(projection).pointer, saved: forward(),
      weights: weights, gradients: gradients, arena: arena)
    check.expect("history", input: history.values, gradient: dHistory.values) {
      history.pointer.update(from: $0, count: 16)
      return loss()
    }
    history.pointer.update(from: randomVector(4 * 4, seed: 5), count: 16)
    check.expect("weights", input: weights.array, gradient: gradients.array) {
      weights.fill($0)
      return loss()
    }
  }

  @Test("Items in several histories, as candidates and with embeddings of their own")
  func network() {
    let network = TowerNetwork(configuration(users: 2))
    let weights = store(network.table, seed: 8)
    let gradients = ParameterStore<Double>(network.table)
    let x = TestBuffer(randomVector(4 * 5, seed: 9))
    let features = TestBuffer(randomVector(3 * 2, seed: 10))
    let batch = TowerNetwork.Batch<Double>(
      items: x.pointer, itemCount: 4, offsets: [0, 3, 4, 4], entries: [0, 2, 3, 2],
      embeddingRows: [5, -1, 1, 1], userFeatures: features.pointer)
    let (itemProjection, userProjection) = (
      randomVector(16, seed: 11), randomVector(12, seed: 12)
    )
    func loss() -> Double {
      arena.reset()
      let saved = network.forward(batch, weights: weights, arena: arena)
      return GradientCheck.project(
        Array(UnsafeBufferPointer(start: saved.item.y, count: 16)), on: itemProjection)
        + GradientCheck.project(
          Array(UnsafeBufferPointer(start: saved.user.y, count: 12)), on: userProjection)
    }
    arena.reset()
    let saved = network.forward(batch, weights: weights, arena: arena)
    let dx = TestBuffer<Double>(zeros: 20)
    network.backward(
      dItems: TestBuffer(itemProjection).pointer, dUsers: TestBuffer(userProjection).pointer,
      dx: dx.pointer, saved: saved, weights: weights, gradients: gradients, arena: arena)
    check.expect("inputs", input: x.values, gradient: dx.values) {
      x.pointer.update(from: $0, count: 20)
      return loss()
    }
    x.pointer.update(from: randomVector(4 * 5, seed: 9), count: 20)
    check.expect("weights", input: weights.array, gradient: gradients.array) {
      weights.fill($0)
      return loss()
    }
  }

  @Test("The user tower starts at the direction of the history's mean")
  func startsAtTheMean() {
    let network = TowerNetwork(configuration(users: 0))
    let weights = ParameterStore<Double>(network.table)
    var generator = TestGenerator(seed: 5)
    network.initialize(weights, using: &generator)
    let x = TestBuffer(randomVector(3 * 5, seed: 9))
    arena.reset()
    let saved = network.forward(
      .init(
        items: x.pointer, itemCount: 3, offsets: [0, 3], entries: [0, 1, 2],
        embeddingRows: [0, 1, 2], userFeatures: nil), weights: weights, arena: arena)
    // Small random keys leave the attention nearly even, so both halves are nearly the mean.
    var mean = (0..<4).map { d in (0..<3).reduce(0) { $0 + saved.item.y[$1 * 4 + d] } }
    let norm = mean.reduce(0) { $0 + $1 * $1 }.squareRoot()
    mean = mean.map { $0 / norm }
    expectClose(Array(UnsafeBufferPointer(start: saved.user.y, count: 4)), mean, absolute: 1e-3)
    expectClose(weights[network.logScale][0], 2.484906649788, absolute: 1e-9, "ln 12")
  }
}
