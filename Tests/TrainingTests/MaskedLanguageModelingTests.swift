import Datasets
import Testing
import Tokenization
import Training

@Suite("Masked-language modelling")
struct MaskedLanguageModelingTests {
  /// Five special tokens, 60 words (5...64) and 30 continuations (65...94).
  private let vocabulary: Vocabulary

  init() throws {
    vocabulary = try Vocabulary(
      tokens: SpecialTokens().all + (0..<60).map { "w\($0)" } + (0..<30).map { "##c\($0)" })
  }

  private func mask(
    _ sequences: [[Int32]], _ generator: inout SeededGenerator,
    rule: MaskedLanguageModeling = .init()
  ) -> MaskedLanguageModeling.MaskedBatch {
    let starts = sequences.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
    return sequences.flatMap { $0 }.withUnsafeBufferPointer { ids in
      rule.mask(
        zip(starts, starts.dropFirst()).map { UnsafeBufferPointer(rebasing: ids[$0..<$1]) },
        vocabulary: vocabulary, using: &generator)
    }
  }

  private func sequence(_ pieces: [Int32]) -> [Int32] {
    [vocabulary.classID] + pieces + [vocabulary.separatorID]
  }

  /// Five standard deviations of a binomial count: less than one seed in a million fails.
  private func expectBinomial(_ count: Int, of trials: Int, rate: Double, _ label: String) {
    let mean = Double(trials) * rate
    let bound = 5 * (mean * (1 - rate)).squareRoot()
    #expect(abs(Double(count) - mean) < bound, "\(label): \(count), expected \(mean) +- \(bound)")
  }

  @Test(
    "15% are chosen; of them 80% become [MASK], 10% another piece, 10% stay", arguments: [1, 2])
  func rates(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var source = SeededGenerator(seed: 99)
    let sequences = (0..<2000).map { _ in
      sequence((0..<50).map { _ in Int32(5 + source.uniform(below: 60)) })
    }
    let flat = sequences.flatMap { $0 }
    let masked = mask(sequences, &generator)
    let trials = 2000 * 50
    expectBinomial(masked.positions.count, of: trials, rate: 0.15, "chosen")
    let chosen = masked.positions.map { (old: flat[Int($0)], new: masked.batch.ids[Int($0)]) }
    let hidden = chosen.filter { $0.new == vocabulary.maskID }.count
    let kept = chosen.filter { $0.new == $0.old }.count
    expectBinomial(hidden, of: chosen.count, rate: 0.8, "[MASK]")
    // A random piece, of 90, may be the old one.
    expectBinomial(kept, of: chosen.count, rate: 0.1 + 0.1 / 90, "kept")
    let random = chosen.filter { $0.new != vocabulary.maskID && $0.new != $0.old }.map(\.new)
    #expect(random.allSatisfy { !vocabulary.isSpecial($0) })
    #expect(Set(random).count == 90)
  }

  @Test("positions ascend, targets are the old ids, everything else stays")
  func targets() {
    var generator = SeededGenerator(seed: 4)
    let sequences = (0..<40).map { n in
      sequence((0..<(n + 1)).map { Int32(5 + ($0 * 7 + n) % 60) })
    }
    let flat = sequences.flatMap { $0 }
    let masked = mask(sequences, &generator)
    #expect(zip(masked.positions, masked.positions.dropFirst()).allSatisfy { $0 < $1 })
    #expect(masked.targets == masked.positions.map { flat[Int($0)] })
    let chosen = Set(masked.positions)
    for (index, id) in flat.enumerated() where !chosen.contains(Int32(index)) {
      #expect(masked.batch.ids[index] == id)
    }
    #expect(masked.batch.sequenceCount == 40)
  }

  @Test("special tokens are never chosen; any other sequence has at least one")
  func atLeastOne() {
    var generator = SeededGenerator(seed: 5)
    let special: [Int32] = [0, 1, 3, 4]
    let sequences = (0..<500).map { n in sequence(special + [Int32(5 + n % 60)] + special) }
    let masked = mask(sequences, &generator)
    // The one piece of each stands behind [CLS] and four special tokens.
    let expected: [Int32] = (0..<500).map { $0 * 11 + 5 }
    #expect(masked.positions == expected)
    let nothing = mask([sequence(special), sequence([])], &generator)
    #expect(nothing.positions.isEmpty)
    #expect(nothing.batch.ids == sequence(special) + sequence([]))
  }

  @Test("whole words are chosen together")
  func wholeWords() {
    var generator = SeededGenerator(seed: 6)
    // Words of 3, 1 and 2 pieces, then one that begins behind [UNK], and its continuation.
    let text = sequence([5, 65, 66, 6, 7, 67, 1, 68, 69])
    let words: [Set<Int32>] = [[1, 2, 3], [4], [5, 6], [8, 9]]
    var counts = [0, 0, 0, 0]
    for _ in 0..<2000 {
      let masked = mask([text], &generator, rule: .init(rate: 0.3, wholeWord: true))
      let chosen = Set(masked.positions)
      for (index, word) in words.enumerated() where !word.isDisjoint(with: chosen) {
        #expect(word.isSubset(of: chosen))
        counts[index] += 1
      }
      #expect(!chosen.isEmpty && !chosen.contains(7))
    }
    // Each of four with probability 0.3; where none was, one of the four.
    let rate = 0.3 + 0.25 * 0.7 * 0.7 * 0.7 * 0.7
    for count in counts { expectBinomial(count, of: 2000, rate: rate, "word") }
  }

  @Test("the generator's state decides, and moves on")
  func deterministic() {
    let sequences = (0..<20).map { n in sequence((0..<20).map { Int32(5 + ($0 + n) % 60) }) }
    var first = SeededGenerator(seed: 7)
    var second = SeededGenerator(seed: 7)
    let once = mask(sequences, &first)
    let again = mask(sequences, &second)
    #expect(once.batch.ids == again.batch.ids && once.positions == again.positions)
    #expect(first == second)
    let next = mask(sequences, &first)
    #expect(next.positions != once.positions)
  }
}
