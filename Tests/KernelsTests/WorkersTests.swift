import Dispatch
import Kernels
import Synchronization
import Testing

@Suite struct WorkersTests {
  @Test(arguments: [1, 2, 5], [0, 1, 3, 17])
  func rangesCoverEverythingOnce(count: Int, total: Int) {
    let seen = Mutex([Int]())
    Workers(count: count).runRanges(total) { worker, range in
      seen.withLock { $0 += range.map { $0 } }
      #expect(range == Workers(count: count).slice(total, worker))
    }
    #expect(seen.withLock { $0.sorted() } == Array(0..<total))
  }

  @Test func everyWorkerRunsOnce() {
    let seen = Mutex([Int]())
    Workers(count: 4).run { worker in seen.withLock { $0.append(worker) } }
    #expect(seen.withLock { $0.sorted() } == [0, 1, 2, 3])
    #expect(Workers(count: 0).count == 1)
    #expect(Workers().count == Workers.coreCount)
  }
}
