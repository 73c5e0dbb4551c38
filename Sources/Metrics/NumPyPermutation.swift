/// The permutation that NumPy's `default_rng(seed).permutation(count)` gives (1.17 and newer).
///
/// bench/baselines.py breaks ties by `default_rng(7).permutation(items)`; with the same permutation the
/// same scores give the same metrics, popularity's many ties included. Seeding is NumPy's SeedSequence,
/// the generator PCG64 XSL-RR (O'Neill 2014), the shuffle Fisher-Yates with integers by rejection.
public enum NumPyPermutation {
  /// The numbers `0..<count`, shuffled.
  public static func make(_ count: Int, seed: UInt32) -> [Int32] {
    var generator = PCG64(seed: seed)
    var order = (0..<Int32(count)).map { $0 }
    var last = count - 1
    while last > 0 {
      order.swapAt(last, generator.uniform(through: UInt32(last)))
      last -= 1
    }
    return order
  }
}

private struct PCG64 {
  private var state = Wide(high: 0, low: 0)
  private let increment: Wide
  private var spare: UInt32?

  init(seed: UInt32) {
    let words = seedSequence(seed)
    increment = Wide(
      high: words[2] << 1 | words[3] >> 63, low: words[3] << 1 | 1)
    step()
    state = state + Wide(high: words[0], low: words[1])
    step()
  }

  private mutating func step() {
    state = state * Wide(high: 0x2360_ED05_1FC6_5DA4, low: 0x4385_DF64_9FCC_F645) + increment
  }

  private mutating func next() -> UInt64 {
    step()
    let mixed = state.high ^ state.low
    let rotation = state.high >> 58
    return mixed >> rotation | mixed << ((64 - rotation) & 63)
  }

  /// 32 bits: the lower half of a number first, then its upper half.
  private mutating func next32() -> UInt32 {
    if let half = spare {
      spare = nil
      return half
    }
    let number = next()
    spare = UInt32(number >> 32)
    return UInt32(truncatingIfNeeded: number)
  }

  /// NumPy's `random_interval`: as many bits as the bound has, drawn again while they are above it.
  mutating func uniform(through bound: UInt32) -> Int {
    let mask = UInt32.max >> UInt32(bound.leadingZeroBitCount)
    while true {
      let value = next32() & mask
      if value <= bound { return Int(value) }
    }
  }
}

/// 128 bits; the standard library's type needs a newer macOS than the package does.
private struct Wide {
  var high: UInt64
  var low: UInt64

  static func + (a: Wide, b: Wide) -> Wide {
    let (low, carry) = a.low.addingReportingOverflow(b.low)
    return Wide(high: a.high &+ b.high &+ (carry ? 1 : 0), low: low)
  }

  static func * (a: Wide, b: Wide) -> Wide {
    let product = a.low.multipliedFullWidth(by: b.low)
    return Wide(
      high: product.high &+ a.high &* b.low &+ a.low &* b.high, low: product.low)
  }
}

/// Four words from NumPy's `SeedSequence(seed)`.
private func seedSequence(_ seed: UInt32) -> [UInt64] {
  var constant: UInt32 = 0x43B0_D7E5
  func hash(_ value: UInt32) -> UInt32 {
    var value = value ^ constant
    constant = constant &* 0x931E_8875
    value = value &* constant
    return value ^ (value >> 16)
  }
  var pool = [hash(seed), hash(0), hash(0), hash(0)]
  for source in 0..<4 {
    for target in 0..<4 where target != source {
      let mixed = 0xCA01_F9DD &* pool[target] &- 0x4973_F715 &* hash(pool[source])
      pool[target] = mixed ^ (mixed >> 16)
    }
  }
  var output: UInt32 = 0x8B51_F9DD
  let halves = (0..<8).map { place in
    var value = pool[place % 4] ^ output
    output = output &* 0x58F3_8DED
    value = value &* output
    return UInt64(value ^ (value >> 16))
  }
  return (0..<4).map { halves[2 * $0] | halves[2 * $0 + 1] << 32 }
}
