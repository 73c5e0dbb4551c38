/// Memory filled with small varied numbers.
final class Buffer: @unchecked Sendable {
  let pointer: UnsafeMutablePointer<Float>
  private let count: Int

  init(_ count: Int) {
    self.count = count
    pointer = .allocate(capacity: count)
    refill()
  }

  deinit { pointer.deallocate() }

  /// The same memory for kernels that only read it.
  var read: UnsafePointer<Float> { UnsafePointer(pointer) }

  /// Writes the numbers of the beginning again.
  func refill() {
    for index in 0..<count { pointer[index] = Float(index % 13) * 0.01 - 0.06 }
  }

  /// Writes one number everywhere.
  func fill(_ value: Float) { pointer.update(repeating: value, count: count) }
}
