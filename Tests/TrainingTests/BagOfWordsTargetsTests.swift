import Foundation
import TestSupport
import Testing
import Training

@Suite("Bag-of-words targets")
struct BagOfWordsTargetsTests {
  // Ids: the = 5, red = 6, blue = 7, green = 8, grey = 9 (in no text).
  private let corpus: TokenizedCorpus

  init() throws {
    corpus = try SmallCorpus.corpus(
      ["the red red blue", "the red green", "the blue"],
      words: ["the", "red", "blue", "green", "grey"])
  }

  @Test("idf is ln((1 + n) / (1 + df)), by hand")
  func frequencies() {
    let idf = BagOfWordsTargets(corpus).inverseDocumentFrequencies.map(Double.init)
    let expected = [0, 0, 0, 0, 0, 0, log(4.0 / 3), log(4.0 / 3), log(2.0), log(4.0)]
    expectClose(idf, expected, absolute: 1e-7, "idf")
  }

  @Test("a text's distinct pieces in order of id, weights by idf that sum to 1")
  func targets() {
    let maker = BagOfWordsTargets(corpus)
    let targets = maker.targets(corpus.training.map { corpus.sequence($0) })
    #expect(targets.offsets == [0, 2, 4, 5])
    #expect(targets.columns == [6, 7, 6, 8, 7])
    let (common, rare) = (log(4.0 / 3), log(2.0))
    let share = [common / (common + rare), rare / (common + rare)]
    expectClose(
      targets.weights.map(Double.init), [0.5, 0.5, share[0], share[1], 1], absolute: 1e-6,
      "weights")
  }

  @Test("special tokens and pieces of every text leave an empty row")
  func emptyRows() {
    let ids: [Int32] = [2, 1, 5, 5, 3]
    let targets = ids.withUnsafeBufferPointer { BagOfWordsTargets(corpus).targets([$0, $0]) }
    #expect(targets.offsets == [0, 0, 0])
    #expect(targets.columns.isEmpty && targets.weights.isEmpty)
  }
}
