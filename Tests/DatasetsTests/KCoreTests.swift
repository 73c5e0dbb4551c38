import Datasets
import Testing

@Suite struct KCoreTests {
  private func behaviors(_ pairs: [(Int32, Int32)], times: [Double]? = nil) -> Behaviors {
    Behaviors(
      users: IDTable((0..<6).map { "u\($0)" }), items: IDTable((0..<6).map { "i\($0)" }),
      userIndex: pairs.map(\.0), itemIndex: pairs.map(\.1),
      labels: [Float](repeating: 1, count: pairs.count), timestamps: times)
  }

  @Test("Taking one out may take others with it")
  func core() {
    // u0-u2 with i0-i2 are a 2-core; u3 hangs on by i3, which only it and u4 have.
    let rows = behaviors([
      (0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1), (3, 0), (3, 3), (4, 3),
    ])
    let core = rows.core(2)
    #expect(core.userIndex == [0, 0, 1, 1, 2, 2])
    #expect(core.itemIndex == [0, 1, 0, 1, 0, 1])
    #expect(rows.core(1).count == 9 && rows.core(0).count == 9 && rows.core(4).count == 0)
  }

  @Test("A cut in time leaves nothing of the future in training")
  func until() throws {
    let rows = behaviors(
      [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 1), (3, 2)],
      times: [1, 2, 10, 3, 11, 12, 13])
    var options = ColdSplit.Options()
    options.coldValidationFraction = 0
    options.until = 10
    let split = try ColdSplit.make(rows, positive: PositiveRule(threshold: 1), options: options)
    // i2 is first seen at 10; (u2, i1) at 12 is held out although u2 has nothing before.
    #expect(split.coldItems.map { split.train.items[Int($0)] } == ["i2"])
    #expect(split.warmItems.map { split.train.items[Int($0)] } == ["i0", "i1"])
    #expect(split.train.timestamps == [1, 2, 3])
    #expect(split.testCold.timestamps == [10, 11, 13])
    #expect(split.testWarm.timestamps == [12])
    #expect(split.info.json.contains("\"until\": 10.0"))
    options.coldValidationFraction = 0.5
    let tuned = try ColdSplit.make(rows, positive: PositiveRule(threshold: 1), options: options)
    // Of i0 (first seen at 1) and i1 (2) the newer is for tuning.
    #expect(tuned.validationColdItems.map { tuned.train.items[Int($0)] } == ["i1"])
    #expect(tuned.train.timestamps == [1, 3])
  }
}
