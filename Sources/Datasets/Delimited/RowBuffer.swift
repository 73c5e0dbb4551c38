/// The bytes a reader has at hand: read in blocks, moved to the front before more are read.
final class RowBuffer {
  private(set) var memory: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  /// The bytes `0..<filled` are valid.
  private(set) var filled = 0
  /// Whether nothing follows the valid bytes.
  private(set) var atEnd = false
  private let source: ByteSource

  init(_ source: ByteSource, capacity: Int) throws {
    self.source = source
    self.capacity = max(capacity, 16)
    memory = .allocate(capacity: self.capacity)
    try fill()
  }

  deinit { memory.deallocate() }

  /// The position behind a UTF-8 byte order mark at the front.
  var startBehindMark: Int {
    filled >= 3 && memory[0] == 0xEF && memory[1] == 0xBB && memory[2] == 0xBF ? 3 : 0
  }

  /// The bytes at hand, without a byte order mark.
  var head: UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: memory + startBehindMark, count: filled - startBehindMark)
  }

  /// Moves the bytes from `position` on to the front and reads more behind them; doubles the memory
  /// when they fill it.
  func refill(keepingFrom position: Int) throws {
    let unread = filled - position
    if unread == capacity {
      let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity * 2)
      larger.update(from: memory, count: capacity)
      memory.deallocate()
      memory = larger
      capacity *= 2
    } else {
      memory.update(from: memory + position, count: unread)
    }
    filled = unread
    try fill()
  }

  private func fill() throws {
    let room = UnsafeMutableRawBufferPointer(start: memory + filled, count: capacity - filled)
    let count = try source.read(into: room)
    filled += count
    atEnd = count < room.count
  }
}
