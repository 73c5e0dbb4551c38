/// The rules by which behaviours are cleaned; each drop is counted in the report.
///
/// In this order:
/// 1. labels far outside the scale of the others are left out (`LabelRange`), or those outside
///    `labelBounds` when given;
/// 2. of rows with the same user and item one stays: the highest label, then the earliest time;
/// 3. rows with the "not rated" label are left out when `dropsUnrated`, counted otherwise;
/// 4. users, then items, with more rows than max(`activityFloor`, `activityFactor` x the 99% point of
///    rows a user or an item) are left out: a robot's log, a test item. The item must besides be with
///    more than half of all users, since plain popularity is no fault;
/// 5. with `core` k, users and items with fewer than k rows are left out until none is left.
public struct Cleaning: Sendable {
  /// Labels outside are left out; nil finds the scale.
  public var labelBounds: ClosedRange<Float>?
  /// Leaves rows with the "not rated" label out, as a regression on ratings needs.
  public var dropsUnrated = false
  /// Nobody with at most this many rows is implausible.
  public var activityFloor = 1000
  /// How often the 99% point of rows is implausible.
  public var activityFactor = 20.0
  /// The k of the k-core; 0 and 1 keep everything.
  public var core = 0

  /// Creates the default rules.
  public init() {}

  /// Applies the rules and fills the report's counts; the id tables stay as they are.
  ///
  /// The rows that remain are in the order of their users' and items' ids. The rule for positives is
  /// `positive`, or what the labels in range suggest.
  public func apply(
    to behaviors: Behaviors, positive: PositiveRule? = nil, report: inout DataReport
  ) -> Behaviors {
    let rule = positive ?? PositiveRule(labels: behaviors.labels)
    let unrated = PositiveRule(labels: behaviors.labels).unratedLabel
    var result = droppingLabels(behaviors, &report)
    let before = result.count
    result = result.selecting(result.sortedDistinctRows())
    report.duplicates += before - result.count
    if let unrated {
      report.unratedLabels = result.labels.reduce(0) { $0 + ($1 == unrated ? 1 : 0) }
      if dropsUnrated { result = result.filtering(result.labels.map { $0 != unrated }) }
    }
    result = droppingImplausible(result, &report)
    result = core > 1 ? reducedToCore(result, &report) : result
    report.describe(result, positive: rule)
    return result
  }

  private func droppingLabels(_ rows: Behaviors, _ report: inout DataReport) -> Behaviors {
    guard let bounds = labelBounds ?? LabelRange(labels: rows.labels).bounds else { return rows }
    let isKept = rows.labels.map { bounds.contains($0) }
    let result = rows.filtering(isKept)
    report.outOfRangeLabels += rows.count - result.count
    return result
  }

  private func droppingImplausible(_ rows: Behaviors, _ report: inout DataReport) -> Behaviors {
    let byUser = counts(rows.userIndex, rows.users.count)
    let limit = limit(of: byUser)
    let people = rows.filtering(rows.userIndex.map { byUser[Int($0)] <= limit })
    report.implausibleUsers += byUser.reduce(0) { $0 + ($1 > limit ? 1 : 0) }
    report.implausibleUserRows += rows.count - people.count

    let byItem = counts(people.itemIndex, people.items.count)
    let users = counts(people.userIndex, people.users.count).reduce(0) { $0 + ($1 > 0 ? 1 : 0) }
    let itemLimit = max(self.limit(of: byItem), users / 2)
    let result = people.filtering(people.itemIndex.map { byItem[Int($0)] <= itemLimit })
    report.implausibleItems += byItem.reduce(0) { $0 + ($1 > itemLimit ? 1 : 0) }
    report.implausibleItemRows += people.count - result.count
    return result
  }

  /// The most rows that are plausible, from the rows of each user or item that has any.
  private func limit(of counts: [Int]) -> Int {
    let sorted = counts.filter { $0 > 0 }.sorted()
    guard !sorted.isEmpty else { return activityFloor }
    let point = sorted[min(sorted.count - 1, (sorted.count * 99) / 100)]
    return max(activityFloor, Int(min(activityFactor * Double(point), 1e15)))
  }

  private func reducedToCore(_ rows: Behaviors, _ report: inout DataReport) -> Behaviors {
    let result = rows.core(core)
    report.coreRows += rows.count - result.count
    return result
  }
}

/// How often each index occurs in `indices`.
package func counts(_ indices: [Int32], _ size: Int) -> [Int] {
  var counts = [Int](repeating: 0, count: size)
  for index in indices { counts[Int(index)] += 1 }
  return counts
}
