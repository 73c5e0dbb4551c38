import EncoderModel
import Kernels
import Recommendation
import TestSupport
import Testing

private struct LossesGolden: Decodable {
  struct Result: Decodable {
    var loss: Double
    var users: [Double]
    var items: [Double]
    var logScale: Double
  }
  var users: [Double]
  var items: [Double]
  var scale: Double
  var logQ: [Double]
  var targets: [Int32]
  var excluded: [Int]
  var softmax: Result
  var bpr: Result
}

@Suite struct TowersLossTests {
  private let network = TowerNetwork(TowerConfiguration(itemInputs: 3, hidden: 2, width: 5))
  private let weights: ParameterStore<Double>
  private let gradients: ParameterStore<Double>
  private let arena = Arena<Double>()

  init() {
    BLAS.useSingleThread()
    weights = ParameterStore(network.table)
    gradients = ParameterStore(network.table)
    weights.fill(randomVector(weights.count, seed: 21, scale: 0.8))
  }

  @Test("Ranking losses and their gradients are numpy's", arguments: [TowerLoss.softmax, .bpr])
  func ranking(_ loss: TowerLoss) throws {
    let golden = try towerGolden("losses", as: LossesGolden.self)
    let expected = loss == .softmax ? golden.softmax : golden.bpr
    weights[network.logScale][0] = Double.log(golden.scale)
    let (users, items) = (TestBuffer(golden.users), TestBuffer(golden.items))
    // Gradients are added to what is there.
    let dUsers = TestBuffer([Double](repeating: 1, count: users.count))
    let dItems = TestBuffer([Double](repeating: -1, count: items.count))
    let value = RankingLoss<Double>(
      network: network, loss: loss, targets: golden.targets, logQ: golden.logQ,
      excluded: golden.excluded
    ).run(
      users: users.pointer, items: items.pointer, candidates: 7, dUsers: dUsers.pointer,
      dItems: dItems.pointer, weights: weights, gradients: gradients, gradientScale: 0.5,
      arena: arena)
    expectClose(value, expected.loss, absolute: 1e-10, "loss")
    expectClose(dUsers.values, expected.users.map { 1 + 0.5 * $0 }, absolute: 1e-10, "users")
    expectClose(dItems.values, expected.items.map { 0.5 * $0 - 1 }, absolute: 1e-10, "items")
    expectClose(
      gradients[network.logScale][0], 0.5 * expected.logScale, absolute: 1e-10, "scale")
  }

  @Test("A user whose candidates are all positives adds nothing to BPR")
  func nothingToCompareWith() {
    let (users, items) = (
      TestBuffer(randomVector(5, seed: 1)), TestBuffer(randomVector(10, seed: 2))
    )
    let (dUsers, dItems) = (TestBuffer<Double>(zeros: 5), TestBuffer<Double>(zeros: 10))
    let value = RankingLoss<Double>(
      network: network, loss: .bpr, targets: [0], logQ: [0, 0], excluded: [1]
    ).run(
      users: users.pointer, items: items.pointer, candidates: 2, dUsers: dUsers.pointer,
      dItems: dItems.pointer, weights: weights, gradients: gradients, gradientScale: 1,
      arena: arena)
    #expect(value == 0)
    #expect(dUsers.values.allSatisfy { $0 == 0 } && dItems.values.allSatisfy { $0 == 0 })
  }

  @Test("Pointwise losses against central differences", arguments: [TowerLoss.bce, .mse])
  func pointwise(_ loss: TowerLoss) {
    let (users, items) = (
      TestBuffer(randomVector(3 * 5, seed: 3)), TestBuffer(randomVector(4 * 5, seed: 4))
    )
    let labels: [Double] = loss == .bce ? [1, 0, 0, 1, 1] : [3.5, 1, 5, 2, 4]
    let head = PointwiseLoss<Double>(
      network: network, loss: loss, users: [0, 1, 2, 0, 2], items: [3, 1, 0, 1, 3],
      labels: labels)
    func value(into dUsers: TestBuffer<Double>, _ dItems: TestBuffer<Double>) -> Double {
      gradients.zero()
      return head.run(
        users: users.pointer, items: items.pointer, dUsers: dUsers.pointer,
        dItems: dItems.pointer, weights: weights, gradients: gradients, gradientScale: 1)
    }
    func value() -> Double {
      value(into: TestBuffer(zeros: 15), TestBuffer(zeros: 20))
    }
    let (dUsers, dItems) = (TestBuffer<Double>(zeros: 15), TestBuffer<Double>(zeros: 20))
    _ = value(into: dUsers, dItems)
    let (found, start) = (gradients.array, weights.array)
    let check = GradientCheck(tolerance: 1e-7)
    let (u, v) = (users.values, items.values)
    check.expect("users", input: u, gradient: dUsers.values) {
      users.pointer.update(from: $0, count: 15)
      return value()
    }
    users.pointer.update(from: u, count: 15)
    check.expect("items", input: v, gradient: dItems.values) {
      items.pointer.update(from: $0, count: 20)
      return value()
    }
    items.pointer.update(from: v, count: 20)
    check.expect("head", input: start, gradient: found) {
      weights.fill($0)
      return value()
    }
  }

  @Test func pointwiseScoresByHand() {
    let network = TowerNetwork(TowerConfiguration(itemInputs: 1, hidden: 1, width: 2))
    let weights = ParameterStore<Double>(network.table)
    weights[network.logScale][0] = Double.log(2)
    for (name, values) in [
      ("score.item.weight", [0.5, 1]), ("score.user.weight", [-1, 2]), ("score.bias", [0.25]),
    ] {
      guard let entry = network.table[name] else {
        Issue.record("no \(name)")
        return
      }
      for (n, value) in values.enumerated() { weights[entry][n] = value }
    }
    let (users, items) = (TestBuffer([1.0, 0]), TestBuffer([0.6, 0.8]))
    let head = PointwiseLoss<Double>(
      network: network, loss: .mse, users: [0], items: [0], labels: [3])
    // 2 * 0.6 + (0.3 + 0.8) - 1 + 0.25
    let scores = head.scores(users: users.pointer, items: items.pointer, weights: weights)
    expectClose(scores, [1.55], absolute: 1e-12)
    let (dUsers, dItems) = (TestBuffer<Double>(zeros: 2), TestBuffer<Double>(zeros: 2))
    let loss = head.run(
      users: users.pointer, items: items.pointer, dUsers: dUsers.pointer, dItems: dItems.pointer,
      weights: weights, gradients: ParameterStore(network.table), gradientScale: 1)
    expectClose(loss, 1.45 * 1.45, absolute: 1e-12)
  }
}
