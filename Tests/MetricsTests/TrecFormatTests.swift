import Metrics
import TestSupport
import Testing

@Suite struct TrecFormatTests {
  private func field(_ id: String) -> String {
    var line: [UInt8] = []
    Array(id.utf8).withUnsafeBufferPointer { TrecFormat.append(field: $0, to: &line) }
    return String(decoding: line, as: UTF8.self)
  }

  @Test func fieldsHaveNoBlanks() {
    #expect(field("item-1") == "item-1")
    #expect(field("a b\t100%") == "a%20b%09100%25")
    #expect(field("\u{E9}") == "\u{E9}")
    #expect(field("") == "%")
  }

  @Test func equalScoresFall() {
    let written = TrecFormat.falling([2, 1, 1, 1, .nan, -.infinity])
    #expect(written[0] == 2 && written[1] == 1 && written[2] == Float(1).nextDown)
    for place in 1..<written.count { #expect(written[place] < written[place - 1]) }
  }

  private struct Golden: Decodable {
    struct User: Decodable {
      let scores: [Float]
      let tieOrder: [Int32]
      let candidates: [Int32]
      let relevant: [Int32]
      /// Of ranx and of ir_measures: Recall@20 and @100, nDCG@10 and @20, success@10, RR.
      let ranx: [Double]
      let measures: [Double]
    }

    let users: [User]
  }

  @Test("Equal to ranx and ir_measures to 1e-9, with ties and lists shorter than k")
  func equalToTheLibraries() throws {
    let users = try golden("trec.json", as: Golden.self).users
    #expect(users.count >= 50)
    for (number, user) in users.enumerated() {
      let ranks = user.scores.withUnsafeBufferPointer { scores in
        user.candidates.withUnsafeBufferPointer {
          RelevantRanks(
            scores: scores, candidates: $0, relevant: user.relevant, tieOrder: user.tieOrder)
        }
      }
      let metrics = RankingMetrics(ranks: ranks.ranks, auc: ranks.auc)
      let ours = Array(metrics.values.prefix(6))
      expectClose(ours, user.ranx, absolute: 1e-9, "user \(number)")
      expectClose(ours, user.measures, absolute: 1e-9, "user \(number)")
      // The places that a run file has.
      let order = user.scores.withUnsafeBufferPointer {
        rankedItems(
          1000, scores: $0, candidates: user.candidates, tieOrder: user.tieOrder)
      }
      let places = user.relevant.compactMap { order.firstIndex(of: $0) }.sorted()
      #expect(places == ranks.ranks.sorted())
    }
  }
}
