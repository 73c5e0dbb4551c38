import Kernels

/// Keeps the k best of a stream of scores; equal scores go to the lower index.
///
/// Scores above the threshold go to a buffer of 2k keys; a full buffer is cut to its k largest by
/// quickselect, which raises the threshold. So nearly all scores cost one vectorised comparison, and
/// no order of the input is slow. Indices must come in ascending order. NaN and -infinity are never
/// kept: -infinity marks what may not be recommended.
struct TopKSelector: ~Copyable {
  let k: Int
  private let keys: UnsafeMutablePointer<UInt64>
  private let capacity: Int
  private static var block: Int { VectorScan.block }
  private var count = 0
  private var threshold = -Float.infinity

  init(k: Int) {
    self.k = k
    capacity = max(2 * k, 16)
    keys = .allocate(capacity: capacity)
  }

  deinit { keys.deallocate() }

  /// Forgets all scores.
  mutating func reset() {
    count = 0
    threshold = -Float.infinity
  }

  /// Looks at `count` scores that belong to the indices `first`, `first + 1`, ...
  mutating func scan(_ scores: UnsafePointer<Float>, count: Int, first: Int = 0) {
    guard k > 0 else { return }
    var n = VectorScan.blockAbove(scores, from: 0, count: count, bound: threshold)
    while n < count {
      for lane in n..<(n + Self.block) where scores[lane] > threshold {
        append(scores[lane], first + lane)
      }
      n = VectorScan.blockAbove(scores, from: n + Self.block, count: count, bound: threshold)
    }
    n = count - count % Self.block
    while n < count {
      if scores[n] > threshold { append(scores[n], first + n) }
      n += 1
    }
  }

  @inline(__always)
  private mutating func append(_ score: Float, _ index: Int) {
    keys[count] = Self.key(score, index)
    count += 1
    if count == capacity { shrink() }
  }

  private mutating func shrink() {
    selectLargest()
    count = k
    var least = keys[0]
    for n in 1..<k { least = min(least, keys[n]) }
    threshold = Self.score(least)
  }

  /// Writes the kept indices and scores, best first, and returns how many there are.
  mutating func finish(
    _ indices: UnsafeMutablePointer<Int32>, _ scores: UnsafeMutablePointer<Float>
  )
    -> Int
  {
    if count > k { shrink() }
    var kept = UnsafeMutableBufferPointer(start: keys, count: count)
    kept.sort(by: >)
    for n in 0..<count {
      indices[n] = Int32(truncatingIfNeeded: ~UInt32(truncatingIfNeeded: keys[n]))
      scores[n] = Self.score(keys[n])
    }
    return count
  }

  // A key orders like (score, lower index): the score's bits made monotone above the inverted index.

  @inline(__always)
  private static func key(_ score: Float, _ index: Int) -> UInt64 {
    let bits = (score == 0 ? 0 : score).bitPattern  // -0 equals 0
    let monotone = bits >> 31 == 0 ? bits | 0x8000_0000 : ~bits
    return UInt64(monotone) << 32 | UInt64(~UInt32(truncatingIfNeeded: index))
  }

  @inline(__always)
  private static func score(_ key: UInt64) -> Float {
    let monotone = UInt32(truncatingIfNeeded: key >> 32)
    return Float(bitPattern: monotone >> 31 == 1 ? monotone & 0x7fff_ffff : ~monotone)
  }

  /// Moves the k largest keys to the front (Hoare's quickselect; all keys differ).
  private func selectLargest() {
    var low = 0
    var high = count - 1
    while low < high {
      let (a, b, c) = (keys[low], keys[(low + high) / 2], keys[high])
      let pivot = max(min(a, b), min(max(a, b), c))
      var i = low
      var j = high
      while i <= j {
        while keys[i] > pivot { i += 1 }
        while keys[j] < pivot { j -= 1 }
        if i <= j {
          (keys[i], keys[j]) = (keys[j], keys[i])
          i += 1
          j -= 1
        }
      }
      if k - 1 <= j {
        high = j
      } else if k - 1 >= i {
        low = i
      } else {
        return
      }
    }
  }
}
