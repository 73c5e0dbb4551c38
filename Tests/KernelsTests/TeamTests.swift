import Kernels
import Testing

@Suite("Team")
struct TeamTests {
  @Test("every index is done once, in each of many products", arguments: [1, 2, 3, 8])
  func everyIndex(count: Int) {
    let team = Team(Workers(count: count))
    var wrong = 0
    for _ in 0..<20 {
      team.together {
        for total in [1, 2, 3, 7, 100] + [Int](repeating: 33, count: 100) {
          let counts = UnsafeMutableBufferPointer<Int>.allocate(capacity: total)
          counts.initialize(repeating: 0)
          defer { counts.deallocate() }
          nonisolated(unsafe) let base = counts
          team.runRanges(total) { range in
            for index in range { base[index] += 1 }
          }
          if counts.contains(where: { $0 != 1 }) { wrong += 1 }
        }
      }
    }
    #expect(wrong == 0)
  }

  @Test("more teams at once than there are threads for them all end")
  func manyTeams() async {
    let sums = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<40 {
        group.addTask {
          let team = Team(Workers(count: 4))
          nonisolated(unsafe) let sums = UnsafeMutableBufferPointer<Int>.allocate(capacity: 10)
          sums.initialize(repeating: 0)
          defer { sums.deallocate() }
          team.together {
            for _ in 0..<50 { team.runRanges(10) { for index in $0 { sums[index] += index } } }
          }
          return sums.reduce(0, +)
        }
      }
      return await group.reduce(into: [Int]()) { $0.append($1) }
    }
    #expect(sums == [Int](repeating: 45 * 50, count: 40))
  }
}
