/// Evaluates scores on a cold-item split, full ranking, for the four candidate sets.
///
/// - cold: the cold items; relevant are the user's positives among them.
/// - warm: the warm items on which the user has no training positive; relevant are the held-out ones.
/// - all: both; a cold item has several times the test positives of a warm one here, so that plain
///   over-exposure of cold items pays: read `coldShare20` beside it.
/// - balanced: all, with only the balanced part of the user's cold positives; the rest is not ranked.
///
/// Users without a training positive, and for each set those without a relevant item, are left out.
/// A value: workers may share it, each with a `Workspace` of its own.
public struct RankingEvaluator: Sendable {
  /// The candidate sets.
  public enum CandidateSet: String, Sendable, Codable, CaseIterable {
    /// The cold items.
    case cold
    /// The warm items the user has no training positive on.
    case warm
    /// Both.
    case all
    /// Both, with the cold positives thinned to the share of the warm ones.
    case balanced = "bal"
  }

  /// What one user's scores give.
  public struct UserResult: Sendable, Equatable {
    /// The user.
    public let user: Int
    /// Metrics of each set with a relevant item, in the order of `CandidateSet.allCases`.
    public let metrics: [RankingMetrics?]
    /// The share of the user's cold positives in the first 20 of all; nil without cold positives.
    public let coldRecall20: Double?
    /// The share of cold items in the first 20 of all.
    public let coldShare20: Double?

    /// The metrics of a set.
    public subscript(set: CandidateSet) -> RankingMetrics? {
      CandidateSet.allCases.firstIndex(of: set).flatMap { metrics[$0] }
    }
  }

  /// Memory that one worker reuses from user to user.
  public struct Workspace {
    fileprivate var isExcluded: [Bool]
    fileprivate var warm: [Int32] = []
    fileprivate var both: [Int32] = []

    /// Creates the memory for `evaluator`.
    public init(for evaluator: RankingEvaluator) {
      isExcluded = Array(repeating: false, count: evaluator.itemCount)
    }
  }

  /// The number of items, so of scores a user.
  public let itemCount: Int
  private let warmItems: [Int32]
  private let coldItems: [Int32]
  private let isCold: [Bool]
  private let isWarm: [Bool]
  private let train: InteractionRows
  private let testWarm: InteractionRows
  private let testCold: InteractionRows
  private let balancedCold: InteractionRows
  private let tieOrder: [Int32]

  /// Describes a split in numbers.
  ///
  /// - Parameters:
  ///   - train: the training positives of each user.
  ///   - testWarm: the held-out positives on warm items.
  ///   - testCold: the positives on cold items.
  ///   - balancedCold: the part of `testCold` that the balanced set keeps.
  ///   - tieOrder: orders items of equal score, all numbers different; nil takes the permutation that
  ///     bench/baselines.py uses.
  public init(
    itemCount: Int, warmItems: [Int32], coldItems: [Int32], train: InteractionRows,
    testWarm: InteractionRows, testCold: InteractionRows, balancedCold: InteractionRows,
    tieOrder: [Int32]? = nil
  ) {
    self.itemCount = itemCount
    self.warmItems = warmItems
    self.coldItems = coldItems
    var (isWarm, isCold) = (
      [Bool](repeating: false, count: itemCount), [Bool](repeating: false, count: itemCount)
    )
    for item in warmItems { isWarm[Int(item)] = true }
    for item in coldItems { isCold[Int(item)] = true }
    self.isWarm = isWarm
    self.isCold = isCold
    self.train = train
    self.testWarm = testWarm
    self.testCold = testCold
    self.balancedCold = balancedCold
    self.tieOrder = tieOrder ?? NumPyPermutation.make(itemCount, seed: 7)
  }

  /// The users to evaluate: with a training positive and a test positive.
  public var users: [Int] {
    (0..<train.userCount).filter {
      !train[$0].isEmpty && !(testCold[$0].isEmpty && testWarm[$0].isEmpty)
    }
  }

  /// How many users have test positives and no training positive; they are left out.
  public var usersWithoutHistory: Int {
    (0..<train.userCount).reduce(0) {
      $0 + (train[$1].isEmpty && !(testCold[$1].isEmpty && testWarm[$1].isEmpty) ? 1 : 0)
    }
  }

  /// The relevant items of a user in a set; of a split made elsewhere, some may be no candidates.
  public func relevant(user: Int, set: CandidateSet) -> [Int32] {
    switch set {
    case .cold: Array(testCold[user])
    case .warm: Array(testWarm[user])
    case .all: testCold[user] + Array(testWarm[user])
    case .balanced: balancedCold[user] + Array(testWarm[user])
    }
  }

  /// The candidates of a user in a set.
  public func candidates(user: Int, set: CandidateSet) -> [Int32] {
    let seen = Set(train[user])
    let warm = warmItems.filter { !seen.contains($0) }
    switch set {
    case .cold: return coldItems
    case .warm: return warm
    case .all: return warm + coldItems
    case .balanced:
      let kept = Set(balancedCold[user])
      let thinned = Set(testCold[user].filter { !kept.contains($0) })
      return (warm + coldItems).filter { !thinned.contains($0) }
    }
  }

  /// Evaluates a user's scores, one for each item.
  public func evaluate(
    user: Int, scores: UnsafeBufferPointer<Float>, workspace: inout Workspace
  ) -> UserResult {
    precondition(scores.count == itemCount, "\(scores.count) scores for \(itemCount) items")
    let cold = Array(testCold[user])
    let warm = Array(testWarm[user])
    let kept = Array(balancedCold[user])
    for item in train[user] { workspace.isExcluded[Int(item)] = true }
    defer {
      for item in train[user] { workspace.isExcluded[Int(item)] = false }
      for item in cold { workspace.isExcluded[Int(item)] = false }
    }
    workspace.warm.removeAll(keepingCapacity: true)
    for item in warmItems where !workspace.isExcluded[Int(item)] { workspace.warm.append(item) }
    workspace.both.removeAll(keepingCapacity: true)
    workspace.both.append(contentsOf: workspace.warm)
    workspace.both.append(contentsOf: coldItems)

    func ranks(_ candidates: [Int32], _ relevant: [Int32]) -> RelevantRanks? {
      guard !relevant.isEmpty else { return nil }
      // Of a split made elsewhere, a positive may be in training too and is then no candidate.
      let ranked = relevant.filter {
        isCold[Int($0)] || (isWarm[Int($0)] && !workspace.isExcluded[Int($0)])
      }
      return candidates.withUnsafeBufferPointer {
        RelevantRanks(
          scores: scores, candidates: $0, relevant: ranked, missed: relevant.count - ranked.count,
          tieOrder: tieOrder)
      }
    }
    func metrics(_ ranks: RelevantRanks?) -> RankingMetrics? {
      ranks.map { RankingMetrics(ranks: $0.ranks, auc: $0.auc) }
    }
    let onCold = metrics(ranks(coldItems, cold))
    let onWarm = metrics(ranks(workspace.warm, warm))
    let onAll = metrics(ranks(workspace.both, cold + warm))
    let coldInAll = cold.isEmpty ? nil : ranks(workspace.both, cold)
    let share = onAll == nil ? nil : coldShare(scores, workspace.both)
    if kept.count < cold.count {
      let isKept = Set(kept)
      for item in cold where !isKept.contains(item) { workspace.isExcluded[Int(item)] = true }
      workspace.both.removeAll { workspace.isExcluded[Int($0)] }
    }
    let onBalanced = metrics(ranks(workspace.both, kept + warm))
    return UserResult(
      user: user, metrics: [onCold, onWarm, onAll, onBalanced],
      coldRecall20: coldInAll.map { found in
        Double(found.ranks.reduce(0) { $0 + ($1 < 20 ? 1 : 0) }) / Double(cold.count)
      }, coldShare20: share)
  }

  private func coldShare(_ scores: UnsafeBufferPointer<Float>, _ candidates: [Int32]) -> Double {
    let top = topItems(20, scores: scores, candidates: candidates, tieOrder: tieOrder)
    guard !top.isEmpty else { return .nan }
    return Double(top.reduce(0) { $0 + (isCold[Int($1)] ? 1 : 0) }) / Double(top.count)
  }
}

/// The `count` best candidates, best first: by score, then by tie number; for long lists.
public func rankedItems(
  _ count: Int, scores: UnsafeBufferPointer<Float>, candidates: [Int32], tieOrder: [Int32]
) -> [Int32] {
  let sorted = candidates.map {
    (score: comparable(scores[Int($0)]), tie: tieOrder[Int($0)], item: $0)
  }
  .sorted { $0.score != $1.score ? $0.score > $1.score : $0.tie < $1.tie }
  return sorted.prefix(count).map(\.item)
}

/// The `count` best candidates, best first: by score, then by tie number.
public func topItems(
  _ count: Int, scores: UnsafeBufferPointer<Float>, candidates: [Int32], tieOrder: [Int32]
) -> [Int32] {
  var top: [(score: Float, tie: Int32, item: Int32)] = []
  top.reserveCapacity(count + 1)
  for item in candidates where count > 0 {
    let score = comparable(scores[Int(item)])
    if top.count == count, score < top[count - 1].score { continue }
    let tie = tieOrder[Int(item)]
    var place = top.count
    while place > 0
      && (top[place - 1].score < score
        || (top[place - 1].score == score && top[place - 1].tie > tie))
    {
      place -= 1
    }
    if place == count { continue }
    top.insert((score, tie, item), at: place)
    if top.count > count { top.removeLast() }
  }
  return top.map(\.item)
}
