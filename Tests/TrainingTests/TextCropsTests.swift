import Datasets
import Testing
import Training

@Suite("Crops of a text")
struct TextCropsTests {
  private func cut(
    _ texts: [[Int32]], minimum: Int = 16, seed: UInt64 = 1
  ) -> TextCrops.Cut {
    var generator = SeededGenerator(seed: seed)
    let flat = texts.flatMap { $0 }
    var start = 0
    return flat.withUnsafeBufferPointer { ids in
      let views = texts.map { text in
        defer { start += text.count }
        return UnsafeBufferPointer(rebasing: ids[start..<(start + text.count)])
      }
      return TextCrops(minimumPieces: minimum).cut(views, using: &generator)
    }
  }

  private func text(_ pieces: Int) -> [Int32] { [2] + (0..<pieces).map { Int32(10 + $0) } + [3] }

  @Test("a long text becomes two that together are the text; a short one stays")
  func parts() {
    let cut = cut([text(15), text(16), text(0), text(40)])
    #expect(cut.sequences.count == 6 && cut.pairs == [1, 4])
    #expect(cut.sequences[0] == text(15) && cut.sequences[3] == text(0))
    for (pair, pieces) in zip([1, 4], [16, 40]) {
      let (first, second) = (cut.sequences[pair], cut.sequences[pair + 1])
      #expect(first.first == 2 && first.last == 3 && second.first == 2 && second.last == 3)
      #expect(
        first.dropFirst().dropLast() + second.dropFirst().dropLast() == text(pieces)[1...pieces])
    }
  }

  @Test("cuts fall everywhere between a quarter and three quarters, and nowhere else")
  func places() {
    var seen = Set<Int>()
    for seed in 0..<2000 {
      let first = cut([text(20)], seed: UInt64(seed)).sequences[0]
      seen.insert(first.count - 2)
    }
    #expect(seen == Set(5...15))
  }

  @Test("the same state gives the same cuts; four pieces are the least that can be cut")
  func repeatable() {
    let texts = (0..<50).map { text(16 + $0) }
    #expect(cut(texts).sequences == cut(texts).sequences)
    #expect(cut(texts).sequences != cut(texts, seed: 2).sequences)
    let least = cut([text(3), text(4)], minimum: 0)
    #expect(least.sequences.count == 3 && least.pairs == [1])
  }
}
