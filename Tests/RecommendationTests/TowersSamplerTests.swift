import Datasets
import Kernels
import Recommendation
import TestSupport
import Testing

@Suite struct TowersSamplerTests {
  private let data: TowerData
  private let positives: SparseMatrix

  init() throws {
    // 30 users with 1 to 12 of 40 items, item 39 without a positive.
    var lists: [[Int32]] = []
    var generator = SeededGenerator(seed: 4)
    for user in 0..<30 {
      lists.append((0..<(1 + user % 12)).map { _ in Int32(generator.uniform(below: 39)) })
    }
    positives = try SparseMatrix(histories: lists, columnCount: 40)
    var labelled = TowerData.LabelledRows()
    for user in 0..<30 {
      for item in [Int32(user), Int32(39 - user)] {
        labelled.users.append(Int32(user))
        labelled.items.append(item)
        labelled.labels.append(item % 2 == 0 ? 1 : 0)
      }
    }
    data = TowerData(
      itemInputs: DenseMatrix(rowCount: 40, columnCount: 2), userFeatures: nil,
      positives: positives, labelled: labelled)
  }

  private func sampler(
    negatives: Int = 8, targets: Int = 3, history: Int = 4, seed: UInt64 = 1
  ) -> TowerSampler {
    var options = TowerOptions()
    options.negatives = negatives
    options.targetsPerUser = targets
    options.historyLength = history
    options.embeddingDropout = 0.5
    options.seed = seed
    return TowerSampler(data, options: options)
  }

  private func isPositive(_ user: Int32, _ item: Int32) -> Bool {
    positives.columns(ofRow: Int(user)).contains(item)
  }

  @Test func epochsDrawPositivesOfUsersWithAHistory() {
    let sampler = sampler()
    let events = sampler.events(epoch: 0)
    var drawn = [[Int32]](repeating: [], count: 30)
    for event in events {
      #expect(isPositive(event.user, event.item))
      drawn[Int(event.user)].append(event.item)
    }
    for user in 0..<30 {
      let count = positives.columns(ofRow: user).count
      #expect(drawn[user].count == (count > 1 ? min(count, 3) : 0), "user \(user)")
      #expect(Set(drawn[user]).count == drawn[user].count)
    }
    func same(_ a: [(user: Int32, item: Int32)], _ b: [(user: Int32, item: Int32)]) -> Bool {
      a.elementsEqual(b) { $0 == $1 }
    }
    #expect(same(events, sampler.events(epoch: 0)))
    #expect(!same(events, sampler.events(epoch: 1)))
    #expect(!same(events, self.sampler(seed: 2).events(epoch: 0)))
  }

  @Test func plansHideTheTargetAndMarkOtherPositives() {
    let sampler = sampler()
    var generator = SeededGenerator(seed: 9)
    let events = sampler.events(epoch: 0)
    let plan = sampler.plan(events[...], using: &generator)
    #expect(Set(plan.items).count == plan.items.count)
    #expect(plan.users == events.map(\.user))
    #expect(plan.offsets.count == events.count + 1)
    #expect(plan.entries.count == plan.embeddingRows.count)
    #expect(plan.logQ.count == plan.candidateCount)
    #expect(!plan.items.prefix(plan.candidateCount).contains(39), "an item without a positive")
    let excluded = Set(plan.excluded)
    for (row, event) in events.enumerated() {
      #expect(plan.items[Int(plan.targets[row])] == event.item)
      let history = (plan.offsets[row]..<plan.offsets[row + 1]).map {
        plan.items[Int(plan.entries[Int($0)])]
      }
      #expect(!history.contains(event.item))
      #expect(history.allSatisfy { isPositive(event.user, $0) })
      #expect(Set(history).count == history.count)
      #expect(history.count == min(4, positives.columns(ofRow: Int(event.user)).count - 1))
      for candidate in 0..<plan.candidateCount {
        let item = plan.items[candidate]
        #expect(
          excluded.contains(row * plan.candidateCount + candidate)
            == (isPositive(event.user, item) && item != event.item), "row \(row), item \(item)")
      }
    }
    for place in plan.embeddingRows.indices where plan.embeddingRows[place] >= 0 {
      #expect(plan.embeddingRows[place] == plan.items[Int(plan.entries[place])])
    }
    let kept = plan.embeddingRows.reduce(0) { $0 + ($1 >= 0 ? 1 : 0) }
    #expect(kept > plan.entries.count / 4 && kept < plan.entries.count * 3 / 4)
  }

  @Test func plansDependOnTheGeneratorAlone() {
    let sampler = sampler()
    let events = sampler.events(epoch: 3)
    func plan(_ seed: UInt64) -> TowerBatchPlan {
      var generator = SeededGenerator(seed: seed)
      return sampler.plan(events[5..<20], using: &generator)
    }
    let (first, again, other) = (plan(1), plan(1), plan(2))
    #expect(first.items == again.items && first.entries == again.entries)
    #expect(first.embeddingRows == again.embeddingRows && first.excluded == again.excluded)
    #expect(first.items != other.items)
  }

  @Test("logQ is the ln of the expected draws, counted over many batches", arguments: [8, 300])
  func expectedDraws(_ negatives: Int) {
    // Targets come from the epoch's events, negatives uniformly from the 38 or so warm items.
    let sampler = sampler(negatives: negatives)
    var generator = SeededGenerator(seed: 2)
    let batch = 10
    var targets = [Double](repeating: 0, count: 40)
    var batches = 0.0
    var logQ = [Float?](repeating: nil, count: 40)
    for epoch in 0..<200 {
      let events = sampler.events(epoch: epoch)
      for start in stride(from: 0, through: events.count - batch, by: batch) {
        let part = events[start..<(start + batch)]
        for event in part { targets[Int(event.item)] += 1 }
        batches += 1
        if epoch < 10 {
          let plan = sampler.plan(part, using: &generator)
          for candidate in 0..<plan.candidateCount {
            logQ[Int(plan.items[candidate])] = plan.logQ[candidate]
          }
        }
      }
    }
    let warm = Double(data.warmItems.count)
    let uniform = Double(min(negatives, data.warmItems.count)) / warm
    for item in data.warmItems.map({ Int($0) }) {
      guard let value = logQ[item] else { continue }
      let counted = targets[item] / batches + uniform
      expectClose(Double.exp(Double(value)), counted, relative: 0.1, "item \(item)")
    }
    #expect(logQ.compactMap { $0 }.count > 30)
  }

  @Test func pointwisePlansKeepRowsAndHideTheirItem() {
    let sampler = sampler()
    let rows = sampler.rows(epoch: 0)
    #expect(rows.sorted() == (0..<60).map { Int32($0) })
    #expect(rows == sampler.rows(epoch: 0) && rows != sampler.rows(epoch: 1))
    var generator = SeededGenerator(seed: 9)
    let plan = sampler.plan(rows: rows[10..<30], using: &generator)
    for (place, row) in rows[10..<30].enumerated() {
      let (user, item) = (data.labelled.users[Int(row)], data.labelled.items[Int(row)])
      #expect(plan.users[place] == user)
      #expect(plan.items[Int(plan.targets[place])] == item)
      #expect(plan.labels[place] == data.labelled.labels[Int(row)])
      let history = (plan.offsets[place]..<plan.offsets[place + 1]).map {
        plan.items[Int(plan.entries[Int($0)])]
      }
      #expect(!history.contains(item))
      #expect(history.allSatisfy { isPositive(user, $0) })
    }
  }
}
