import Kernels
import Testing

@Suite struct ArenaTests {
  @Test func slicesAreAlignedAndDisjoint() {
    let arena = Arena<Float>(capacity: 100)
    let slices = [1, 16, 17, 3].map { ($0, arena.take($0)) }
    var previousEnd = 0
    for (count, slice) in slices {
      let address = Int(bitPattern: slice)
      #expect(address % 64 == 0)
      #expect(address >= previousEnd)
      previousEnd = address + count * MemoryLayout<Float>.stride
    }
    #expect(arena.highWaterMark == 16 + 16 + 32 + 16)
  }

  @Test func growsAtTheResetAndKeepsPointersValidUntilThen() {
    let arena = Arena<Double>()
    let first = arena.take(10)
    first.update(repeating: 1, count: 10)
    let second = arena.take(1000)
    second.update(repeating: 2, count: 1000)
    #expect(first[9] == 1 && second[999] == 2)
    #expect(Int(bitPattern: second) % 64 == 0)
    #expect(arena.capacity == 0)
    arena.reset()
    #expect(arena.capacity == arena.highWaterMark)
    let capacity = arena.capacity
    let again = arena.take(10)
    let next = arena.take(1000)
    #expect(next - again == 16)
    arena.reset()
    #expect(arena.capacity == capacity)
    #expect(arena.take(10) == again)
  }

  @Test func aFirstStepUsesReleasedBlocksAgain() {
    let arena = Arena<Float>(capacity: 16)
    _ = arena.take(16)
    let mark = arena.mark
    let blocks = [arena.take(100), arena.take(32), arena.take(100)]
    arena.release(to: mark)
    let again = [arena.take(100), arena.take(32), arena.take(100)]
    #expect(Set(again) == Set(blocks))
    arena.release(to: mark + 112)
    #expect(arena.take(32) == again[1])
    arena.reset()
    #expect(arena.capacity == 16 + 112 + 32 + 112)
  }

  @Test func releaseGivesBackWhatWasTakenSinceTheMark() {
    let arena = Arena<Float>(capacity: 64)
    _ = arena.take(16)
    let mark = arena.mark
    let scratch = arena.take(32)
    arena.release(to: mark)
    #expect(arena.take(8) == scratch)
    #expect(arena.highWaterMark == 48)
  }

  @Test func reserveGrowsOnly() {
    let arena = Arena<Float>(capacity: 50)
    #expect(arena.capacity == 64)
    arena.reserve(10)
    #expect(arena.capacity == 64)
    arena.reserve(200)
    #expect(arena.capacity == 208)
  }
}
