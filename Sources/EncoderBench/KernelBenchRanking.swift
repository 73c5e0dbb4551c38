import Kernels

/// Kernels of recommendation, and threads that share a product.
extension KernelBench {
  /// Looking through scores, and keeping the best of those found.
  func selections() -> [KernelFigure] {
    let count = rows * inner
    // A tenth as many as are looked at is far more than there are.
    let limit = count / 10
    // As many as are kept for the 100 best of a user, for a thousand users.
    let (users, found) = (1000, 200)
    let keys = UnsafeMutablePointer<UInt64>.allocate(
      capacity: max(limit + VectorScan.block, users * found))
    defer { keys.deallocate() }
    func scan() {
      var kept = 0
      _ = VectorScan.collectAbove(
        x.read, from: 0, count: count, bound: 0.5, first: 0, into: keys, kept: &kept, limit: limit)
    }
    return [
      moving("scores above a bound, none", count) { scan() },
      moving("scores above a bound, 1 in 1,000", count) {
        scan()
      } preparing: {
        for index in stride(from: 0, to: count, by: 1000) { x.pointer[index] = 1 }
      },
      moving("the best 100 of 200 keys", 2 * users * found) {
        for user in 0..<users {
          _ = VectorScan.keepLargest(keys + user * found, count: found, range: 100...125)
        }
      } preparing: {
        // All different, in no order.
        for index in 0..<(users * found) {
          keys[index] = UInt64(index + 1) &* 0x9E37_79B9_7F4A_7C15
        }
      },
    ]
  }

  /// Products of a sparse matrix with sixteen vectors, by the lanes that are gathered.
  func sparseLanes() -> [KernelFigure] {
    let (items, neighbours, lanes) = (16_384, 32, SparseLanes.count)
    let offsets = (0...items).map { $0 * neighbours }
    let columns = (0..<(items * neighbours)).map { Int32(($0 * 7919) % items) }
    var (sums, squares) = (
      [Double](repeating: 0, count: lanes), [Double](repeating: 0, count: lanes)
    )
    // Lanes, a column and a value an entry; the result is small beside them.
    let floats = (lanes + 2) * items * neighbours
    return [
      moving("sparse rows by \(lanes) vectors", floats) {
        SparseLanes.multiply(
          z.pointer, offsets: offsets, columns: columns, values: y.read, rows: items, x: x.read)
      },
      moving("\(lanes) vectors to lanes", 2 * lanes * items) {
        SparseLanes.interleave(z.pointer, rows: x.read, vectors: lanes, width: items)
      },
      moving("lanes to \(lanes) vectors", 2 * lanes * items) {
        SparseLanes.separate(z.pointer, lanes: x.read, vectors: lanes, width: items)
      },
      moving("moments of \(lanes) lanes", lanes * items) {
        SparseLanes.moments(
          sums: &sums, squares: &squares, x: x.read, mask: y.read, rows: items)
      },
      moving("standardised sum of \(lanes) lanes", 3 * lanes * items) {
        SparseLanes.addStandardized(
          z.pointer, x: x.read, shift: y.read, scale: y.read, coefficients: y.read, rows: items)
      },
    ]
  }

  /// What sharing a product out costs: to threads that wait for it, and to threads that are woken.
  func sharing() -> [KernelFigure] {
    let team = Team(Workers())
    let workers = Workers(count: team.count)
    let turns = 1000
    let shared = seconds {
      team.together {
        for _ in 0..<turns { team.runRanges(2 * team.count) { _ in } }
      }
    }
    let woken = seconds {
      for _ in 0..<turns { workers.run { _ in } }
    }
    return [("a turn of a team of \(team.count)", shared), ("a turn of woken threads", woken)].map {
      KernelFigure(name: $0, value: 1e6 * $1 / Double(turns), unit: "microseconds", decimals: 2)
    }
  }
}
