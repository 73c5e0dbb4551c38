import Datasets
import Foundation
import Testing

@Suite struct CleaningTests {
  private func behaviors(
    _ rows: [(String, String, Float, Double)]
  ) -> Behaviors {
    var (users, items) = (IDTable(), IDTable())
    let userIndex = rows.map { Int32(users.insert($0.0)) }
    let itemIndex = rows.map { Int32(items.insert($0.1)) }
    return Behaviors(
      users: users, items: items, userIndex: userIndex, itemIndex: itemIndex,
      labels: rows.map(\.2), timestamps: rows.map(\.3))
  }

  @Test func repeatedPairsKeepTheHighestLabelThenTheEarliestTime() {
    let rows = behaviors([
      ("v", "b", 1, 5), ("u", "a", 2, 9), ("u", "a", 3, 8), ("u", "a", 3, 7), ("u", "a", 1, 1),
      ("v", "a", 1, .nan), ("v", "a", 1, 3),
    ])
    var report = DataReport()
    let clean = Cleaning().apply(to: rows, report: &report)
    #expect(clean.userIndex.map { clean.users[Int($0)] } == ["u", "v", "v"])
    #expect(clean.itemIndex.map { clean.items[Int($0)] } == ["a", "a", "b"])
    #expect(clean.labels == [3, 1, 1])
    #expect(clean.timestamps?[0] == 7)
    #expect(clean.timestamps?[1].isNaN == true)
    #expect(report.duplicates == 4)
    #expect(report.rowsKept == 3)
    #expect(report.users == 2)
    #expect(report.itemsWithBehaviors == 2)
    #expect(report.density == 0.75)
    #expect(report.timeRange == [5, 7])
  }

  @Test func strayAndUnratedLabels() {
    let many = (0..<1000).map { ("u\($0)", "i", Float($0 % 10 + 1), 0.0) }
    let rows = behaviors(many + [("x", "i", 999, 0), ("y", "i", -1, 0)])
    var report = DataReport()
    #expect(Cleaning().apply(to: rows, report: &report).count == 1001)
    #expect(report.outOfRangeLabels == 1)
    #expect(report.unratedLabels == 1)
    #expect(report.positives == 400)
    var cleaning = Cleaning()
    cleaning.dropsUnrated = true
    cleaning.labelBounds = 1...5
    report = DataReport()
    #expect(cleaning.apply(to: rows, report: &report).count == 500)
    #expect(report.outOfRangeLabels == 502)
  }

  @Test func robotsAreLeftOutAndPopularItemsAreNot() {
    var rows: [(String, String, Float, Double)] = []
    for user in 0..<200 {
      rows += [("u\(user)", "hit", 1, 0), ("u\(user)", "i\(user)", 1, 0)]
    }
    rows += (0..<150).map { ("robot", "i\($0)", 1, 0) }
    var cleaning = Cleaning()
    cleaning.activityFloor = 40
    var report = DataReport()
    let clean = cleaning.apply(to: behaviors(rows), report: &report)
    // 99% of the users have 2 rows: more than max(40, 20 x 2) is a robot.
    #expect(report.implausibleUsers == 1)
    #expect(report.implausibleUserRows == 150)
    // 99% of the items have 1 row and "hit" 200 of 200 users, above 40 and half of them.
    #expect(report.implausibleItems == 1)
    #expect(report.implausibleItemRows == 200)
    #expect(clean.count == 200)
    cleaning.activityFloor = 200
    report = DataReport()
    #expect(cleaning.apply(to: behaviors(rows), report: &report).count == rows.count)
  }

  @Test func coreIsReachedInRounds() {
    // c has one row, so u3 falls below two, so b does, and nothing but the square u1, u2 x a, d stays.
    let rows = behaviors([
      ("u1", "a", 1, 0), ("u1", "d", 1, 0), ("u2", "a", 1, 0), ("u2", "d", 1, 0), ("u3", "b", 1, 0),
      ("u3", "c", 1, 0), ("u1", "b", 1, 0),
    ])
    var cleaning = Cleaning()
    cleaning.core = 2
    var report = DataReport()
    let clean = cleaning.apply(to: rows, report: &report)
    #expect(clean.count == 4)
    #expect(report.coreRows == 3)
    #expect(Set(clean.itemIndex.map { clean.items[Int($0)] }) == ["a", "d"])
  }

  @Test func reportAsTextAndJSON() throws {
    var report = DataReport()
    report.rowsRead = 9
    report.unknownItemRows = 2
    report.unknownItems = 1
    report.hasLabels = true
    _ = Cleaning().apply(
      to: behaviors([("u", "a", 4, 0), ("u", "b", 1.5, 0), ("v", "a", 5, 0), ("v", "a", 5, 0)]),
      report: &report)
    report.describe(texts: ["one two", "", "one two", "a b c d"])
    #expect(
      report.text == """
        rows read            9
          of 1 unknown items, left out: 2
          the same user and item again, left out: 1
        rows kept            3
        users                2
        items                2, 2 with behaviours
        density              75%
        positives            2: a label of at least 3.5 (0.7 of the largest, 5, of 3 distinct labels)
        labels               1.5: 1, 4: 1, 5: 1
        words a text         2 2 2 2 4 4 4 (0, 5, 25, 50, 75, 95, 100%)
        items without text   1 (50.0%)
        repeated texts       1

        """)
    let copy = try JSONDecoder().decode(DataReport.self, from: JSONEncoder().encode(report))
    #expect(copy == report)
  }
}
