import Datasets
import Recommendation

extension FinetuneInput {
  /// The positives with label 1, and for each a pair of its user with another item, with label 0.
  ///
  /// So a loss on labels can learn from behaviours that say only what somebody took. The other items are
  /// drawn evenly among those with positives; a user who has nearly all of them gets fewer.
  func withDrawnNegatives(seed: UInt64) -> FinetuneInput {
    var rows = behaviors.filtering(behaviors.labels.map { rule.isPositive($0) })
    let users = rows.userIndex
    rows.labels = [Float](repeating: 1, count: users.count)
    rows.timestamps = nil
    var taken = [Set<Int32>](repeating: [], count: rows.users.count)
    for (user, item) in zip(users, rows.itemIndex) { taken[Int(user)].insert(item) }
    let items = Set(rows.itemIndex).sorted()
    var generator = SeededGenerator(seed: seed, stream: 0x4E45_4741)
    for user in users {
      for _ in 0..<20 {
        let item = items[generator.uniform(below: items.count)]
        guard taken[Int(user)].insert(item).inserted else { continue }
        rows.userIndex.append(user)
        rows.itemIndex.append(item)
        rows.labels.append(0)
        break
      }
    }
    var input = self
    input.behaviors = rows
    input.rule = PositiveRule(threshold: 1)
    return input
  }
}
