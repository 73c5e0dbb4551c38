/// One block of memory handed out in slices, so that a training step allocates nothing.
///
/// A step calls ``reset()`` and then takes what it needs. Slices beyond the capacity get blocks of
/// their own, and the next reset makes the arena as large as the step before it wanted: pointers
/// stay valid until the reset (or the release) that ends their slice. Memory isn't cleared.
/// One thread at a time may use an arena; each worker has its own.
public final class Arena<S: KernelScalar>: @unchecked Sendable {
  /// The elements that fit without another block.
  public private(set) var capacity: Int
  /// The most elements that were in use at once, with alignment.
  public private(set) var highWaterMark = 0

  /// Threads that may share one product of few rows, where latency counts more than throughput.
  ///
  /// nil, as it is by default, leaves every product to sgemm on the calling thread.
  public var team: Team?

  private var base: UnsafeMutableRawPointer
  private var used = 0
  /// Blocks of slices beyond the capacity, ascending by the position of their slice.
  private var extraBlocks: [(start: Int, count: Int, memory: UnsafeMutableRawPointer)] = []
  /// Those whose slice was given back; a first step through many layers uses them again.
  private var freeBlocks: [(count: Int, memory: UnsafeMutableRawPointer)] = []

  private static var alignment: Int { 64 }

  /// Creates an arena of `capacity` elements; 0 lets the first step find the size.
  public init(capacity: Int = 0) {
    self.capacity = Arena.rounded(capacity)
    base = Arena.allocate(self.capacity)
  }

  deinit {
    freeExtraBlocks()
    base.deallocate()
  }

  /// A slice of `count` elements with undefined content, aligned to 64 bytes.
  public func take(_ count: Int) -> UnsafeMutablePointer<S> {
    precondition(count >= 0, "an arena slice of \(count) elements")
    let start = used
    used += Arena.rounded(count)
    highWaterMark = max(highWaterMark, used)
    if used <= capacity {
      return (base + start * MemoryLayout<S>.stride).assumingMemoryBound(to: S.self)
    }
    let rounded = Arena.rounded(count)
    let block =
      freeBlocks.firstIndex { $0.count == rounded }.map { freeBlocks.remove(at: $0).memory }
      ?? Arena.allocate(rounded)
    extraBlocks.append((start, rounded, block))
    return block.assumingMemoryBound(to: S.self)
  }

  /// The current position, for ``release(to:)``.
  public var mark: Int { used }

  /// Gives back every slice taken since `mark` was read.
  public func release(to mark: Int) {
    precondition(mark >= 0 && mark <= used, "an arena mark that lies ahead")
    used = mark
    while let last = extraBlocks.last, last.start >= mark {
      freeBlocks.append((last.count, last.memory))
      extraBlocks.removeLast()
    }
  }

  /// Gives back every slice, and grows to the high-water mark if slices didn't fit.
  public func reset() {
    used = 0
    guard !extraBlocks.isEmpty || !freeBlocks.isEmpty else { return }
    freeExtraBlocks()
    reserve(highWaterMark)
  }

  /// Grows to at least `capacity` elements; only while no slice is in use.
  public func reserve(_ capacity: Int) {
    precondition(used == 0, "an arena can't grow while slices are in use")
    guard capacity > self.capacity else { return }
    base.deallocate()
    self.capacity = Arena.rounded(capacity)
    base = Arena.allocate(self.capacity)
  }

  private func freeExtraBlocks() {
    for block in extraBlocks { block.memory.deallocate() }
    for block in freeBlocks { block.memory.deallocate() }
    extraBlocks.removeAll()
    freeBlocks.removeAll()
  }

  private static func rounded(_ count: Int) -> Int {
    let step = alignment / MemoryLayout<S>.stride
    return (count + step - 1) / step * step
  }

  private static func allocate(_ count: Int) -> UnsafeMutableRawPointer {
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: max(count, 1) * MemoryLayout<S>.stride, alignment: alignment)
    memory.bindMemory(to: S.self, capacity: max(count, 1))
    return memory
  }
}
