public import Datasets
public import Foundation
public import Kernels
import Metrics

/// The first places of each evaluated user in each candidate set, by one method.
public struct RankedRuns: Sendable {
  /// One user's list in one set.
  struct List: Sendable {
    let items: [Int32]
    let scores: [Float]
  }

  /// For each set, in the order of `CandidateSet.allCases`, a list for each evaluated user; nil where
  /// nothing is relevant, as the metrics leave such users out too.
  var lists: [[List?]]
}

extension EvaluationSplit {
  /// Writes `qrels.SET.txt` for each candidate set: `user 0 item 1`, users without a relevant item left
  /// out.
  ///
  /// - Throws: `DatasetError` when the disk fails.
  public func writeQrels(catalogue: IDTable, to folder: URL) throws {
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw DatasetError(
        "cannot make the folder", path: folder.path, advice: "check the path and its permissions")
    }
    for set in RankingEvaluator.CandidateSet.allCases {
      let url = folder.appendingPathComponent("qrels.\(set.rawValue).txt")
      try AtomicFile.write(to: url) { file in
        var line: [UInt8] = []
        for user in evaluated {
          for item in evaluator.relevant(user: Int(user), set: set) {
            line.removeAll(keepingCapacity: true)
            users.withBytes(of: Int(user)) { TrecFormat.append(field: $0, to: &line) }
            line.append(contentsOf: " 0 ".utf8)
            catalogue.withBytes(of: Int(item)) { TrecFormat.append(field: $0, to: &line) }
            line.append(contentsOf: " 1\n".utf8)
            try file.write(line)
          }
        }
      }
    }
  }

  /// Writes `run.METHOD.SET.txt` for each candidate set: `user Q0 item rank score METHOD`, with scores
  /// that fall strictly, so that every reader keeps the order.
  ///
  /// - Throws: `DatasetError` when the disk fails.
  public func write(
    _ runs: RankedRuns, method: String, catalogue: IDTable, to folder: URL
  ) throws {
    for (place, set) in RankingEvaluator.CandidateSet.allCases.enumerated() {
      let url = folder.appendingPathComponent("run.\(method).\(set.rawValue).txt")
      try AtomicFile.write(to: url) { file in
        var line: [UInt8] = []
        for (row, user) in evaluated.enumerated() {
          guard let list = runs.lists[place][row] else { continue }
          for (rank, score) in TrecFormat.falling(list.scores).enumerated() {
            line.removeAll(keepingCapacity: true)
            users.withBytes(of: Int(user)) { TrecFormat.append(field: $0, to: &line) }
            line.append(contentsOf: " Q0 ".utf8)
            catalogue.withBytes(of: Int(list.items[rank])) {
              TrecFormat.append(field: $0, to: &line)
            }
            line.append(contentsOf: " \(rank + 1) \(score) \(method)\n".utf8)
            try file.write(line)
          }
        }
      }
    }
  }

  /// Ranks the candidates of each evaluated user in each set by `scorer` and keeps `depth` places.
  public func runs(_ scorer: any UserScorer, depth: Int, workers: Workers) -> RankedRuns {
    let histories = histories
    let block = 32
    var found = [[RankedRuns.List?]?](repeating: nil, count: evaluated.count)
    found.withUnsafeMutableBufferPointer { found in
      nonisolated(unsafe) let found = found
      workers.runChunks(evaluated.count, chunk: block) { _, rows in
        let scores = ScalarBuffer<Float>(rows.count * itemCount)
        scorer.score(histories, rows: rows, into: scores.pointer)
        for row in rows {
          let line = UnsafeBufferPointer(
            start: scores.pointer + (row - rows.lowerBound) * itemCount, count: itemCount)
          found[row] = lists(user: Int(evaluated[row]), scores: line, depth: depth)
        }
      }
    }
    return RankedRuns(
      lists: RankingEvaluator.CandidateSet.allCases.indices.map { set in
        found.map { $0?[set] }
      })
  }

  /// The first `depth` places of a user in each set.
  private func lists(
    user: Int, scores: UnsafeBufferPointer<Float>, depth: Int
  ) -> [RankedRuns.List?] {
    RankingEvaluator.CandidateSet.allCases.map { set in
      guard !evaluator.relevant(user: user, set: set).isEmpty else { return nil }
      let candidates = evaluator.candidates(user: user, set: set)
      let items = rankedItems(
        depth, scores: scores, candidates: candidates, tieOrder: tieOrder)
      return RankedRuns.List(items: items, scores: items.map { scores[Int($0)] })
    }
  }
}
