import Foundation
import Metrics
import TestSupport
import Testing

@Suite struct RankingTests {
  @Test func metricsByHand() {
    // Relevant on the places 1, 3 and 150: 2 of 3 in the first 20 and 100.
    let metrics = RankingMetrics(ranks: [2, 0, 149], auc: 0.5)
    let ideal = 1 + 1 / log2(3) + 0.5
    expectClose(
      metrics.values,
      [2.0 / 3, 2.0 / 3, 1.5 / ideal, 1.5 / ideal, 1, 1, 0.5], absolute: 1e-12)
    // None in the first 10; the 12th place counts for ndcg@20 only.
    let late = RankingMetrics(ranks: [11], auc: .nan)
    expectClose(
      Array(late.values.dropLast()), [1, 1, 0, 1 / log2(13), 0, 1.0 / 12], absolute: 1e-12)
    #expect(late.auc.isNaN)
  }

  @Test func moreRelevantItemsThanPlaces() {
    let metrics = RankingMetrics(ranks: Array(0..<30), auc: .nan)
    expectClose(metrics.recall20, 20.0 / 30)
    expectClose(metrics.ndcg10, 1, absolute: 1e-12)
    expectClose(metrics.ndcg20, 1, absolute: 1e-12)
  }

  /// Against a full sort and a count over all pairs, on scores with many ties and some not finite.
  @Test(arguments: 0..<60)
  func ranksAgainstAFullSort(seed: Int) {
    var generator = CaseGenerator(state: UInt64(seed))
    // Every fourth case has more distinct scores than are counted one by one.
    let isLarge = seed % 4 == 0
    let count = Int.random(in: isLarge ? 300...600 : 1...60, using: &generator)
    let levels = Int.random(in: isLarge ? 200...500 : 1...12, using: &generator)
    let scores = (0..<count).map { _ -> Float in
      let level = Int.random(in: 0..<levels, using: &generator)
      switch Int.random(in: 0..<20, using: &generator) {
      case 0: return .nan
      case 1: return .infinity
      case 2: return -.infinity
      default: return Float(level) - 3
      }
    }
    let clean = scores.map { $0.isNaN || $0 == -.infinity ? -1e30 : min($0, 1e30) }
    let tie = (0..<Int32(count)).shuffled(using: &generator)
    let candidates = (0..<Int32(count)).filter { _ in Int.random(in: 0..<4, using: &generator) > 0 }
    let relevant = candidates.shuffled(using: &generator).prefix(
      Int.random(in: 0...max(candidates.count, 1), using: &generator))
    let order = candidates.sorted {
      (-clean[Int($0)], tie[Int($0)]) < (-clean[Int($1)], tie[Int($1)])
    }
    let expected = relevant.compactMap { order.firstIndex(of: $0) }.sorted()
    let result = scores.withUnsafeBufferPointer { scores in
      candidates.withUnsafeBufferPointer {
        RelevantRanks(
          scores: scores, candidates: $0, relevant: Array(relevant), tieOrder: tie)
      }
    }
    #expect(result.ranks.sorted() == expected)
    let others = candidates.filter { !relevant.contains($0) }
    if others.isEmpty || relevant.isEmpty {
      #expect(result.auc.isNaN)
    } else {
      var right = 0.0
      for a in relevant {
        for b in others {
          right +=
            clean[Int(a)] > clean[Int(b)] ? 1 : (clean[Int(a)] == clean[Int(b)] ? 0.5 : 0)
        }
      }
      expectClose(result.auc, right / Double(relevant.count * others.count), absolute: 1e-12)
    }
    let top = scores.withUnsafeBufferPointer {
      topItems(7, scores: $0, candidates: candidates, tieOrder: tie)
    }
    #expect(top == Array(order.prefix(7)))
  }

  @Test func itemsThatAreNoCandidatesRankLast() {
    let scores: [Float] = [3, 2, 1]
    let candidates: [Int32] = [0, 1, 2]
    let result = scores.withUnsafeBufferPointer { scores in
      candidates.withUnsafeBufferPointer {
        RelevantRanks(
          scores: scores, candidates: $0, relevant: [1], missed: 1, tieOrder: [0, 1, 2])
      }
    }
    #expect(result.ranks == [1, 3])
  }

  @Test func rowsAreSortedAndDistinct() {
    let rows = InteractionRows(userCount: 3, users: [2, 0, 2, 2], items: [5, 1, 3, 5])
    #expect(Array(rows[0]) == [1])
    #expect(Array(rows[1]) == [])
    #expect(Array(rows[2]) == [3, 5])
    #expect(rows.count == 3)
  }

  private struct Permutations: Decodable {
    struct Case: Decodable {
      let seed: UInt32
      let count: Int
      let order: [Int32]
    }
    let cases: [Case]
  }

  @Test func permutationsOfNumPy() throws {
    for entry in try golden("permutations.json", as: Permutations.self).cases {
      #expect(NumPyPermutation.make(entry.count, seed: entry.seed) == entry.order)
    }
    #expect(NumPyPermutation.make(0, seed: 7) == [])
  }
}
