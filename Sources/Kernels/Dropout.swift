internal import CKernels

/// Dropout whose mask is a function of a key and the element's index, so nothing has to be stored.
///
/// Element i is kept, and scaled by `1 / (1 - rate)`, when a 32-bit hash of (key, i) is at least
/// `rate * 2^32`; else it becomes 0. The backward pass applies the same value to the gradient. The
/// mask repeats after 2^32 elements.
public struct Dropout: Sendable, Equatable {
  /// The share of elements that become 0, at least 0 and below 1.
  public let rate: Double
  /// What makes this mask differ from others.
  public let key: UInt64

  /// Creates the mask of a key; a rate outside 0..<1 is a programming error.
  public init(rate: Double, key: UInt64) {
    precondition(rate >= 0 && rate < 1, "dropout rate \(rate) isn't in 0..<1")
    self.rate = rate
    self.key = key
  }

  /// The same rate with the key of stream `index`: layers, steps and workers take one each.
  public func stream(_ index: UInt64) -> Dropout {
    Dropout(rate: rate, key: mixed(key &+ (index &+ 1) &* 0x9E37_79B9_7F4A_7C15))
  }

  /// Zeroes and scales `count` elements in place; the forward and the backward pass are the same.
  public func apply<S: KernelScalar>(_ x: UnsafeMutablePointer<S>, count: Int) {
    apply(x, count: count, first: 0)
  }

  /// As ``apply(_:count:)`` for a part of a tensor that begins at element `first`.
  public func apply<S: KernelScalar>(_ x: UnsafeMutablePointer<S>, count: Int, first: Int) {
    guard rate > 0 else { return }
    guard S.self == Float.self else { return applyTwin(x, count: count, first: first) }
    ck_dropout(
      x.floats, count, UInt32(truncatingIfNeeded: first), keyLow, keyHigh, threshold,
      Float(1 / (1 - rate)))
  }

  package func applyTwin<S: KernelScalar>(_ x: UnsafeMutablePointer<S>, count: Int, first: Int) {
    let scale = S(1 / (1 - rate))
    for i in 0..<count {
      x[i] = hash(UInt32(truncatingIfNeeded: first &+ i)) >= threshold ? x[i] * scale : 0
    }
  }

  /// The finalizer of MurmurHash3 on the counter, with the key mixed in at two places.
  private func hash(_ index: UInt32) -> UInt32 {
    var h = (index &* 0x9E37_79B1) ^ keyLow
    h ^= h >> 16
    h &*= 0x85EB_CA6B
    h ^= (h >> 13) ^ keyHigh
    h &*= 0xC2B2_AE35
    return h ^ (h >> 16)
  }

  private var threshold: UInt32 { UInt32(rate * 4_294_967_296) }
  private var mixedKey: UInt64 { mixed(key) }
  private var keyLow: UInt32 { UInt32(truncatingIfNeeded: mixedKey) }
  private var keyHigh: UInt32 { UInt32(truncatingIfNeeded: mixedKey >> 32) }
}

/// The output function of SplitMix64 (Steele, Lea and Flood, 2014): neighbouring keys become unrelated.
private func mixed(_ value: UInt64) -> UInt64 {
  var z = value &+ 0x9E37_79B9_7F4A_7C15
  z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
  z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
  return z ^ (z >> 31)
}
