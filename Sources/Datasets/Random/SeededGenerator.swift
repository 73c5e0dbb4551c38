import Foundation

/// The project's random number generator: xoshiro256** (Blackman, Vigna 2018), seeded by SplitMix64.
///
/// The whole state is four words and `Codable`, so a resumed run continues the same sequence.
/// Not for secrets.
public struct SeededGenerator: RandomNumberGenerator, Sendable, Codable, Hashable {
  private var s0: UInt64
  private var s1: UInt64
  private var s2: UInt64
  private var s3: UInt64

  /// Creates the generator of `seed`; different `stream` values give unrelated sequences of one seed.
  public init(seed: UInt64, stream: UInt64 = 0) {
    var state = seed &+ splitMix64Finalizer(stream &* 0xD134_2543_DE82_EF95)
    func word() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      return splitMix64Finalizer(state)
    }
    (s0, s1, s2, s3) = (word(), word(), word(), word())
  }

  /// Creates a generator with a given state, as xoshiro's reference code has it; not all zero.
  package init(state: (UInt64, UInt64, UInt64, UInt64)) {
    (s0, s1, s2, s3) = state
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    let rotated = s1 &* 5
    let result = ((rotated << 7) | (rotated >> 57)) &* 9
    let shifted = s1 << 17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = (s3 << 45) | (s3 >> 19)
    return result
  }

  /// A uniform integer in `0..<bound` without modulo bias (Lemire 2019); `bound` is at least 1.
  public mutating func uniform(below bound: Int) -> Int {
    precondition(bound > 0, "uniform(below: \(bound)) needs a bound of at least 1")
    let range = UInt64(bound)
    var product = next().multipliedFullWidth(by: range)
    if product.low < range {
      let threshold = (0 &- range) % range
      while product.low < threshold {
        product = next().multipliedFullWidth(by: range)
      }
    }
    return Int(product.high)
  }

  /// A uniform number in `0 ..< 1`, a multiple of 2^-53.
  public mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// A uniform number in `0 ..< 1`, a multiple of 2^-24.
  public mutating func uniformFloat() -> Float {
    Float(next() >> 40) * 0x1p-24
  }

  /// A standard normal number (Marsaglia's polar method; the second one of each pair is dropped, so
  /// the state stays four words).
  public mutating func normal() -> Double {
    while true {
      let x = 2 * uniform() - 1
      let y = 2 * uniform() - 1
      let square = x * x + y * y
      if square > 0 && square < 1 {
        return x * (-2 * log(square) / square).squareRoot()
      }
    }
  }

  /// Shuffles `elements` in place (Fisher, Yates), every order equally likely.
  public mutating func shuffle<T>(_ elements: inout [T]) {
    var last = elements.count - 1
    while last > 0 {
      elements.swapAt(last, uniform(below: last + 1))
      last -= 1
    }
  }

  /// The numbers `0..<count` in random order.
  public mutating func permutation(_ count: Int) -> [Int32] {
    var order = (0..<Int32(count)).map { $0 }
    shuffle(&order)
    return order
  }
}
