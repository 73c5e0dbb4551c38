import Datasets
import Foundation

/// One worker's share of a step as indices: which items, which histories, which targets.
package struct TowerBatchPlan: Sendable {
  /// Distinct catalogue items; the first ``candidateCount`` are candidates, the others in histories only.
  package var items: [Int32] = []
  package var candidateCount = 0
  /// The user of each row.
  package var users: [Int32] = []
  /// Histories in CSR form over `items`.
  package var offsets: [Int32] = [0]
  package var entries: [Int32] = []
  package var embeddingRows: [Int32] = []
  /// Row of each user's target among `items`.
  package var targets: [Int32] = []
  /// Labels of pointwise rows.
  package var labels: [Float] = []
  /// ln of the expected number of draws of each candidate.
  package var logQ: [Float] = []
  /// Places user * candidateCount + candidate that hold a positive which isn't the target.
  package var excluded: [Int] = []
  private var rows: [Int32: Int32] = [:]

  /// The row of an item among ``items``, where it is there.
  func known(_ item: Int32) -> Int32? { rows[item] }

  /// The row of an item among ``items``, at the end of which it is put if need be.
  mutating func row(of item: Int32) -> Int32 {
    if let row = rows[item] { return row }
    let row = Int32(items.count)
    rows[item] = row
    items.append(item)
    return row
  }
}

/// Draws the batches of the towers.
///
/// All randomness comes from (seed, epoch, step, worker).
package struct TowerSampler: Sendable {
  let data: TowerData
  let options: TowerOptions
  /// Expected share of an item among the drawn targets.
  private let targetShare: [Double]

  package init(_ data: TowerData, options: TowerOptions) {
    self.data = data
    self.options = options
    var share = [Double](repeating: 0, count: data.positives.columnCount)
    var total = 0.0
    for user in 0..<data.positives.rowCount {
      let columns = data.positives.columns(ofRow: user)
      guard columns.count > 1 || data.userFeatures != nil, !columns.isEmpty else { continue }
      let draws = Double(min(columns.count, options.targetsPerUser))
      total += draws
      for item in columns { share[Int(item)] += draws / Double(columns.count) }
    }
    targetShare = share.map { $0 / max(total, 1) }
  }

  /// The (user, target) pairs of one ranking epoch, shuffled: of each user at most
  /// ``TowerOptions/targetsPerUser`` positives, newly drawn each epoch.
  package func events(epoch: Int) -> [(user: Int32, item: Int32)] {
    var generator = SeededGenerator(seed: options.seed, stream: UInt64(epoch) &+ 0x4556_0000)
    var events: [(user: Int32, item: Int32)] = []
    for user in 0..<data.positives.rowCount {
      var columns = Array(data.positives.columns(ofRow: user))
      // A history that is empty without its target teaches nothing, unless features speak for the user.
      guard columns.count > 1 || data.userFeatures != nil else { continue }
      if columns.count > options.targetsPerUser {
        for place in 0..<options.targetsPerUser {
          columns.swapAt(place, place + generator.uniform(below: columns.count - place))
        }
        columns.removeLast(columns.count - options.targetsPerUser)
      }
      for item in columns { events.append((Int32(user), item)) }
    }
    events.shuffle(using: &generator)
    return events
  }

  /// The rows of one pointwise epoch, shuffled.
  package func rows(epoch: Int) -> [Int32] {
    var generator = SeededGenerator(seed: options.seed, stream: UInt64(epoch) &+ 0x524F_0000)
    var rows = (0..<Int32(data.labelled.count)).map { $0 }
    rows.shuffle(using: &generator)
    return rows
  }

  /// Plans a ranking micro-batch.
  package func plan(
    _ events: ArraySlice<(user: Int32, item: Int32)>, using generator: inout SeededGenerator
  ) -> TowerBatchPlan {
    var plan = TowerBatchPlan()
    for event in events {
      plan.users.append(event.user)
      plan.targets.append(plan.row(of: event.item))
    }
    // Few warm items get fewer draws; the expectation below must count the same ones.
    let negatives = min(options.negatives, data.warmItems.count)
    for _ in 0..<negatives {
      _ = plan.row(of: data.warmItems[generator.uniform(below: data.warmItems.count)])
    }
    plan.candidateCount = plan.items.count
    let uniform = Double(negatives) / Double(max(1, data.warmItems.count))
    plan.logQ = plan.items.map {
      Float(log(Double(events.count) * targetShare[Int($0)] + uniform + 1e-12))
    }
    for (index, event) in events.enumerated() {
      let positives = data.positives.columns(ofRow: Int(event.user))
      for item in positives where item != event.item {
        if let candidate = plan.known(item), Int(candidate) < plan.candidateCount {
          plan.excluded.append(index * plan.candidateCount + Int(candidate))
        }
      }
      appendHistory(positives, without: event.item, to: &plan, using: &generator)
    }
    return plan
  }

  /// Plans a pointwise micro-batch.
  package func plan(
    rows: ArraySlice<Int32>, using generator: inout SeededGenerator
  ) -> TowerBatchPlan {
    var plan = TowerBatchPlan()
    for index in rows {
      plan.users.append(data.labelled.users[Int(index)])
      plan.targets.append(plan.row(of: data.labelled.items[Int(index)]))
      plan.labels.append(data.labelled.labels[Int(index)])
    }
    plan.candidateCount = plan.items.count
    for index in rows {
      let user = Int(data.labelled.users[Int(index)])
      appendHistory(
        data.positives.columns(ofRow: user), without: data.labelled.items[Int(index)], to: &plan,
        using: &generator)
    }
    return plan
  }

  private func appendHistory(
    _ positives: ArraySlice<Int32>, without target: Int32, to plan: inout TowerBatchPlan,
    using generator: inout SeededGenerator
  ) {
    var history = positives.filter { $0 != target }
    if history.count > options.historyLength {
      for place in 0..<options.historyLength {
        history.swapAt(place, place + generator.uniform(below: history.count - place))
      }
      history.removeLast(history.count - options.historyLength)
    }
    for item in history {
      plan.entries.append(plan.row(of: item))
      let keepsEmbedding = generator.uniform() >= options.embeddingDropout
      plan.embeddingRows.append(keepsEmbedding ? item : -1)
    }
    plan.offsets.append(Int32(plan.entries.count))
  }
}
