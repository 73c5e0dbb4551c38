import Testing
import Tokenization
import Training

@Suite("Tokenised corpus")
struct TokenizedCorpusTests {
  private func corpus(_ texts: [String], maximumLength: Int = 8) throws -> TokenizedCorpus {
    try SmallCorpus.corpus(texts, words: ["a", "b", "c", "d"], maximumLength: maximumLength)
  }

  @Test("texts become windows with [CLS] and [SEP]; blank texts are left out")
  func windows() throws {
    // a b c d = 5 6 7 8, [UNK] [CLS] [SEP] = 1 2 3; a window has room for six pieces.
    let corpus = try corpus(["a b", "", "a b c d a b c d a b c d a b", "  \t", "c zebra"])
    let sequences = corpus.training.map { Array(corpus.sequence($0)) }
    #expect(
      sequences == [
        [2, 5, 6, 3], [2, 5, 6, 7, 8, 5, 6, 3], [2, 7, 8, 5, 6, 7, 8, 3], [2, 5, 6, 3],
        [2, 7, 1, 3],
      ])
    #expect(corpus.training.map(corpus.length) == [4, 8, 8, 4, 4])
    #expect(corpus.textCount == 3)
    #expect(corpus.trainingTokenCount == 28)
  }

  @Test("pieces and the sequences that have them are counted, special tokens aside")
  func counts() throws {
    let corpus = try corpus(["a a b", "a zebra", "c [SEP] a"])
    #expect(corpus.pieceCounts == [0, 0, 0, 0, 0, 4, 1, 1, 0])
    #expect(corpus.documentFrequencies == [0, 0, 0, 0, 0, 3, 1, 1, 0])
  }

  @Test("one text in twenty is held out, and never a text that training has too")
  func heldOut() throws {
    let texts = SmallCorpus.texts(300)
    let corpus = try SmallCorpus.corpus(texts + texts.reversed())
    func ids(_ sequences: [Int32]) -> Set<[Int32]> {
      Set(sequences.map { Array(corpus.sequence($0)) })
    }
    let count = corpus.training.count + corpus.validation.count
    #expect(!corpus.validation.isEmpty && corpus.validation.count <= count / 20)
    #expect(Set(corpus.training).isDisjoint(with: corpus.validation))
    #expect(ids(corpus.training).isDisjoint(with: ids(corpus.validation)))
    // Counts are those of training alone.
    let special = Set<Int32>(0..<5)
    let pieces = corpus.training.flatMap { corpus.sequence($0).filter { !special.contains($0) } }
    #expect(corpus.pieceCounts.reduce(0, +) == pieces.count)
    #expect(corpus.documentFrequencies.max() ?? 0 <= corpus.training.count)
  }

  @Test("all windows of a text are on one side")
  func windowsOfAText() throws {
    let texts = (0..<200).map { n in
      (0..<12).map { ["a", "b", "c", "d"][(n >> ($0 % 8)) & 3] }.joined(separator: " ")
    }
    let corpus = try corpus(texts)
    // Windows 2n and 2n + 1 belong to text n.
    let held = Set(corpus.validation)
    #expect(!held.isEmpty)
    for first in stride(from: Int32(0), to: 400, by: 2) {
      #expect(held.contains(first) == held.contains(first + 1))
    }
  }

  @Test("fewer than twenty sequences, or one text only, are all for training")
  func tiny() throws {
    #expect(try corpus((0..<19).map { "a b \($0)" }).validation.isEmpty)
    let same = try corpus([String](repeating: "a b", count: 100))
    #expect(same.validation.isEmpty && same.training.count == 100)
  }

  @Test("at most 20,480 tokens are held out")
  func heldOutTokens() throws {
    // 8,000 different sequences of 64 tokens: a twentieth would be 25,600 tokens.
    let texts = (0..<8000).map { n in
      (0..<62).map { ["a", "b", "c", "d"][($0 < 8 ? n >> (2 * $0) : $0) & 3] }.joined(
        separator: " ")
    }
    let corpus = try corpus(texts, maximumLength: 64)
    #expect(corpus.validation.count == 20_480 / 64)
    #expect(corpus.training.count == 8000 - 320)
  }

  @Test("the fingerprint knows texts, their order, and the windows")
  func fingerprint() throws {
    let texts = ["a b c d a b c d", "b a", "c d"]
    let known = try corpus(texts).fingerprint
    #expect(try corpus(texts).fingerprint == known)
    #expect(try corpus(["b a", "a b c d a b c d", "c d"]).fingerprint != known)
    #expect(try corpus(["b a c d a b c d", "a b", "c d"]).fingerprint != known)
    #expect(try corpus(texts, maximumLength: 9).fingerprint != known)
    // The same ids: but which texts are held out depends on their bytes.
    #expect(try corpus(["A b c d a b c d", "b a", "c d"]).fingerprint != known)
    #expect(
      try SmallCorpus.corpus(texts, words: ["a", "b", "c", "d", "e"], maximumLength: 8).fingerprint
        != known)
  }

  @Test("a corpus without a token is an error that names it")
  func empty() {
    #expect(throws: TrainingError.self) { try corpus([]) }
    do {
      _ = try corpus(["", " "])
      Issue.record("blank texts were accepted")
    } catch {
      #expect("\(error)".contains("no text: texts.txt"))
    }
  }
}
