import Datasets
import Recommendation
import Testing

@Suite struct ModelInnerSplitTests {
  private let users = IDTable((0..<80).map { "u\($0)" })
  private let items = IDTable((0..<60).map { "i\($0)" })
  private let positives: SparseMatrix

  init() throws {
    var generator = SeededGenerator(seed: 8)
    // Item 59 has no behaviour; users 70 and up have one.
    let lists = (0..<80).map { user in
      (0..<(user < 70 ? 12 : 1)).map { _ in Int32(generator.uniform(below: 59)) }
    }
    positives = try SparseMatrix(histories: lists, columnCount: 60)
  }

  private func split(seed: UInt64 = 42) throws -> InnerSplit {
    try InnerSplit(positives, users: users, items: items, seed: seed)
  }

  @Test func everyPositiveIsInExactlyOnePart() throws {
    let split = try split()
    for user in 0..<80 {
      let parts = [split.train, split.cold, split.held].flatMap { $0.columns(ofRow: user) }
      #expect(parts.sorted() == Array(positives.columns(ofRow: user)), "user \(user)")
      let known = [split.train, split.held].flatMap { $0.columns(ofRow: user) }
      #expect(known.sorted() == Array(split.histories.columns(ofRow: user)), "user \(user)")
    }
  }

  @Test func coldItemsHaveNoTrainingPositive() throws {
    let split = try split()
    let counts = split.train.columnSums()
    #expect(split.pseudoCold.count == 8)  // 15% of 59
    #expect(split.pseudoCold == split.pseudoCold.sorted())
    #expect(split.pseudoCold.allSatisfy { counts[Int($0)] == 0 })
    #expect(!split.pseudoCold.contains(59))
    let cold = Set(split.pseudoCold)
    for user in 0..<80 {
      #expect(split.cold.columns(ofRow: user).allSatisfy { cold.contains($0) })
      #expect(split.held.columns(ofRow: user).allSatisfy { !cold.contains($0) })
    }
    #expect(split.warm.count == 59 - 8)
    #expect(split.warm.allSatisfy { counts[Int($0)] > 0 && !cold.contains($0) })
  }

  @Test func usersWithWarmPositivesKeepOne() throws {
    let split = try split()
    for user in 0..<80 where !split.held.columns(ofRow: user).isEmpty {
      #expect(!split.train.columns(ofRow: user).isEmpty, "user \(user)")
    }
    let share =
      Double(split.held.entryCount)
      / Double(split.held.entryCount + split.train.entryCount)
    #expect(share > 0.05 && share < 0.15)
  }

  @Test func dependsOnIdsAndSeedAlone() throws {
    let first = try split()
    let again = try split()
    #expect(first.pseudoCold == again.pseudoCold && first.train == again.train)
    #expect(try split(seed: 1).pseudoCold != first.pseudoCold)
    // The same pairs with users in the opposite order.
    let order = (0..<80).reversed().map { Int32($0) }
    let turned = try InnerSplit(
      positives.selectingRows(order), users: IDTable(order.map { "u\($0)" }), items: items,
      seed: 42)
    #expect(turned.pseudoCold == first.pseudoCold)
    #expect(turned.cold.selectingRows(order) == first.cold)
  }

  @Test func validationUsersCanBeJudged() throws {
    let split = try split()
    let all = split.users(split.cold, names: users, limit: 1000)
    #expect(all == all.sorted() && !all.isEmpty)
    for user in all {
      #expect(!split.train.columns(ofRow: Int(user)).isEmpty)
      #expect(!split.cold.columns(ofRow: Int(user)).isEmpty)
    }
    let few = split.users(split.cold, names: users, limit: 7)
    #expect(few.count == 7 && Set(few).isSubset(of: Set(all)))
  }
}
