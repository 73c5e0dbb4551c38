import Datasets
import Foundation
import Testing

@Suite struct RandomTests {
  @Test func publishedHashValues() {
    #expect(fnv1a64("".utf8) == 0xCBF2_9CE4_8422_2325)
    #expect(fnv1a64("a".utf8) == 0xAF63_DC4C_8601_EC8C)
    #expect(fnv1a64("foobar".utf8) == 0x8594_4171_F739_67E8)
    #expect(splitMix64Finalizer(0x9E37_79B9_7F4A_7C15) == 0xE220_A839_7B1D_CDAF)
  }

  /// `h64` of bench/baselines.py.
  @Test func portableHashOfTheSplit() {
    #expect(portableHash("42|cold|caf\u{E9}") == 0xc2c8100833ee19ee)
    #expect(portableHash("42|cold|cafe\u{301}") == 0xf5d187767280661b)
  }

  /// The first outputs of xoshiro256** with the state 1, 2, 3, 4, as in Rust's rand_xoshiro tests.
  @Test func xoshiroReferenceOutput() {
    var generator = SeededGenerator(state: (1, 2, 3, 4))
    let expected: [UInt64] = [
      11520, 0, 1_509_978_240, 1_215_971_899_390_074_240, 1_216_172_134_540_287_360,
      607_988_272_756_665_600, 16_172_922_978_634_559_625, 8_476_171_486_693_032_832,
      10_595_114_339_597_558_777, 2_904_607_092_377_533_576,
    ]
    #expect(expected.map { _ in generator.next() } == expected)
  }

  @Test func stateSurvivesCoding() throws {
    var generator = SeededGenerator(seed: 9)
    for _ in 0..<10 { _ = generator.next() }
    var copy = try JSONDecoder().decode(
      SeededGenerator.self, from: JSONEncoder().encode(generator))
    #expect((0..<5).map { _ in generator.next() } == (0..<5).map { _ in copy.next() })
  }

  @Test func streamsAndSeedsDiffer() {
    var outputs: Set<UInt64> = []
    for seed in 0..<20 {
      for stream in 0..<20 {
        var generator = SeededGenerator(seed: UInt64(seed), stream: UInt64(stream))
        outputs.insert(generator.next())
      }
    }
    #expect(outputs.count == 400)
  }

  /// Chi-square with 6 degrees of freedom: 22.46 has probability 0.001; the seed is fixed.
  @Test func integersAreUniform() {
    var generator = SeededGenerator(seed: 3)
    var counts = [Double](repeating: 0, count: 7)
    for _ in 0..<70_000 { counts[generator.uniform(below: 7)] += 1 }
    let chi = counts.reduce(0) { $0 + ($1 - 10_000) * ($1 - 10_000) / 10_000 }
    #expect(chi < 22.46)
  }

  /// Lemire's method by definition: words whose low half of the product is below 2^64 mod n are refused.
  @Test func biasedWordsAreRefused() {
    let bound = (1 << 62) + 1
    var generator = SeededGenerator(seed: 5)
    var reference = generator
    for _ in 0..<200 {
      let value = generator.uniform(below: bound)
      var product = reference.next().multipliedFullWidth(by: UInt64(bound))
      while product.low < (0 &- UInt64(bound)) % UInt64(bound) {
        product = reference.next().multipliedFullWidth(by: UInt64(bound))
      }
      #expect(value == Int(product.high))
    }
  }

  @Test func normalNumbersHaveTheirMoments() {
    var generator = SeededGenerator(seed: 8)
    let values = (0..<40_000).map { _ in generator.normal() }
    let mean = values.reduce(0, +) / 40_000
    let variance = values.reduce(0) { $0 + $1 * $1 } / 40_000
    let within = values.filter { abs($0) < 1 }.count
    #expect(abs(mean) < 0.02)
    #expect(abs(variance - 1) < 0.03)
    #expect(abs(Double(within) / 40_000 - 0.6827) < 0.01)
  }

  @Test func shuffleKeepsElementsAndReachesAllOrders() {
    var generator = SeededGenerator(seed: 2)
    var seen: [[Int]: Int] = [:]
    for _ in 0..<6_000 {
      var elements = [1, 2, 3]
      generator.shuffle(&elements)
      #expect(elements.sorted() == [1, 2, 3])
      seen[elements, default: 0] += 1
    }
    #expect(seen.count == 6)
    #expect(seen.values.allSatisfy { abs($0 - 1000) < 150 })
    #expect(generator.permutation(100).sorted() == (0..<100).map { Int32($0) })
  }
}
