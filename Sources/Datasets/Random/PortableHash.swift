/// The 64-bit FNV-1a hash of some bytes (Fowler, Noll, Vo; offset basis 0xcbf29ce484222325).
///
/// `fnv1a64("a".utf8)` is 0xaf63dc4c8601ec8c.
public func fnv1a64(_ bytes: some Sequence<UInt8>) -> UInt64 {
  var hash = FNV1a64()
  for byte in bytes { hash.append(byte) }
  return hash.value
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection that mixes all bits.
///
/// `splitMix64Finalizer(0x9e3779b97f4a7c15)` is 0xe220a8397b1dcdaf, SplitMix64's first output for
/// seed 0.
@inlinable
public func splitMix64Finalizer(_ value: UInt64) -> UInt64 {
  var h = value
  h = (h ^ (h >> 30)) &* 0xBF58_476D_1CE4_E5B9
  h = (h ^ (h >> 27)) &* 0x94D0_49BB_1331_11EB
  return h ^ (h >> 31)
}

/// The portable hash of some bytes, `splitMix64Finalizer(fnv1a64(bytes))`.
///
/// It depends on the bytes only, so that every language and run makes the same split of a data set.
public func portableHash(_ bytes: some Sequence<UInt8>) -> UInt64 {
  splitMix64Finalizer(fnv1a64(bytes))
}

/// The portable hash of a string's UTF-8 bytes.
public func portableHash(_ text: String) -> UInt64 {
  portableHash(text.utf8)
}

/// FNV-1a fed piece by piece, so that `prefix|user|item` needs no string.
package struct FNV1a64: Sendable {
  package private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  package init() {}

  /// The state after the UTF-8 bytes of `prefix`.
  package init(_ prefix: String) {
    for byte in prefix.utf8 { append(byte) }
  }

  @inline(__always)
  package mutating func append(_ byte: UInt8) {
    value = (value ^ UInt64(byte)) &* 0x100_0000_01B3
  }

  package mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
    for byte in bytes { append(byte) }
  }
}
