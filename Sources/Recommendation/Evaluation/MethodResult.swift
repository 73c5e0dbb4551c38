public import Kernels
public import Metrics

/// What one way of scoring gives on an ``EvaluationSplit``.
public struct MethodResult: Sendable {
  /// The method's name, as reports have it.
  public let name: String
  /// Each evaluated user's metrics, in the order of ``EvaluationSplit/evaluated``.
  public let results: [RankingEvaluator.UserResult]
  /// Their means with confidence intervals.
  public let report: RankingReport
  /// How the first 20 of all candidates spread over the warm and cold items.
  public let exposure: Exposure
  /// What was chosen in fitting, in words.
  public let notes: [String]
  /// Quality on items by their behaviours in training, in the order of ``CountRange/itemAges``.
  public let itemAges: [ItemAgeQuality]
  /// Quality for users by the length of their histories, in the order of ``CountRange/histories``.
  public let histories: [HistoryQuality]
}

extension EvaluationSplit {
  /// Ranks all candidates of each evaluated user by `scorer` and averages.
  ///
  /// - Parameters:
  ///   - scorer: takes ``histories``, so its n-th user is the n-th evaluated one.
  ///   - seed: of the confidence intervals' bootstrap.
  public func judge(
    _ name: String, _ scorer: any UserScorer, notes: [String] = [], seed: UInt64 = 1,
    workers: Workers
  ) -> MethodResult {
    precondition(
      scorer.itemCount == itemCount, "scores of \(scorer.itemCount) items for \(itemCount)")
    let histories = histories
    var results = [RankingEvaluator.UserResult?](repeating: nil, count: evaluated.count)
    var ages = [[AgeResult?]](repeating: [], count: evaluated.count)
    let groups = AgeGroups(self)
    var shown = [[Int]](repeating: [], count: workers.count)
    results.withUnsafeMutableBufferPointer { results in
      ages.withUnsafeMutableBufferPointer { ages in
        shown.withUnsafeMutableBufferPointer { shown in
          nonisolated(unsafe) let (results, ages, shown) = (results, ages, shown)
          workers.run { worker in
            shown[worker] = ranked(
              histories, scorer, groups, worker: worker, of: workers.count, into: results, ages)
          }
        }
      }
    }
    var counts = [Int](repeating: 0, count: itemCount)
    for part in shown { for item in 0..<itemCount { counts[item] += part[item] } }
    let found = results.compactMap { $0 }
    return MethodResult(
      name: name, results: found, report: RankingReport(found, seed: seed),
      exposure: Exposure(counts: (warmItems + coldItems).map { counts[Int($0)] }), notes: notes,
      itemAges: groups.summaries(ages, seed: seed),
      histories: HistoryQuality.summaries(
        found, lengths: (0..<histories.rowCount).map { histories.columns(ofRow: $0).count },
        seed: seed))
  }

  /// Evaluates one worker's blocks of users; how often each item was in a first 20.
  private func ranked(
    _ histories: SparseMatrix, _ scorer: any UserScorer, _ groups: AgeGroups, worker: Int,
    of workerCount: Int, into results: UnsafeMutableBufferPointer<RankingEvaluator.UserResult?>,
    _ ages: UnsafeMutableBufferPointer<[AgeResult?]>
  ) -> [Int] {
    let block = 32
    let scores = ScalarBuffer<Float>(block * itemCount)
    var workspace = RankingEvaluator.Workspace(for: evaluator)
    var shown = [Int](repeating: 0, count: itemCount)
    var isSeen = [Bool](repeating: false, count: itemCount)
    for start in stride(
      from: worker * block, to: evaluated.count, by: workerCount * block)
    {
      let rows = start..<min(start + block, evaluated.count)
      scorer.score(histories, rows: rows, into: scores.pointer)
      for row in rows {
        let line = UnsafeBufferPointer(
          start: scores.pointer + (row - start) * itemCount, count: itemCount)
        results[row] = evaluator.evaluate(
          user: Int(evaluated[row]), scores: line, workspace: &workspace)
        for item in histories.columns(ofRow: row) { isSeen[Int(item)] = true }
        let candidates = warmItems.filter { !isSeen[Int($0)] } + coldItems
        for item in histories.columns(ofRow: row) { isSeen[Int(item)] = false }
        let top = topItems(20, scores: line, candidates: candidates, tieOrder: tieOrder)
        for item in top { shown[Int(item)] += 1 }
        ages[row] = groups.results(
          user: Int(evaluated[row]), scores: line, candidates: candidates, top: top)
      }
    }
    return shown
  }
}
