public import Kernels

/// Exact lists of the best items, blocked over users on all cores.
///
/// Equal scores go to the item with the lower index; NaN and -infinity are never listed.
public enum TopK {
  /// The best `k` items by `scorer` for each row of `histories`.
  ///
  /// - Parameters:
  ///   - candidates: The items that may be listed, ascending; `nil` allows all.
  ///   - excluding: A (users, items) matrix whose entries are left out, usually the histories.
  public static func rank(
    _ scorer: some UserScorer, histories: SparseMatrix, k: Int, candidates: [Int32]? = nil,
    excluding: SparseMatrix? = nil, workers: Workers
  ) -> RankedLists {
    let itemCount = scorer.itemCount
    let k = min(k, candidates?.count ?? itemCount)
    check(candidates, itemCount: itemCount, excluding, userCount: histories.rowCount)
    var lists = RankedLists(rowCount: histories.rowCount, k: k)
    let block = 64
    lists.withWriter { writer in
      workers.run { worker in
        let scores = ScalarBuffer<Float>(block * itemCount)
        let gathered = ScalarBuffer<Float>(candidates?.count ?? 0)
        var selector = TopKSelector(k: k)
        var start = worker * block
        while start < histories.rowCount {
          let rows = start..<min(start + block, histories.rowCount)
          scorer.score(histories, rows: rows, into: scores.pointer)
          for row in rows {
            let line = scores.pointer + (row - start) * itemCount
            if let excluding {
              for item in excluding.columns(ofRow: row) { line[Int(item)] = -.infinity }
            }
            selector.reset()
            if let candidates {
              for n in 0..<candidates.count { gathered.pointer[n] = line[Int(candidates[n])] }
              selector.scan(gathered.pointer, count: candidates.count)
              candidates.withUnsafeBufferPointer {
                writer.store(row, &selector, names: $0.baseAddress)
              }
            } else {
              selector.scan(line, count: itemCount)
              writer.store(row, &selector, names: nil)
            }
          }
          start += workers.count * block
        }
      }
    }
    return lists
  }

  /// The best `k` items by the products `users * items^T`, (users, width) and (items, width).
  ///
  /// Tiles of the product are selected from while they are in the cache: the scores of a user never
  /// exist as a whole. Parameters as in ``rank(_:histories:k:candidates:excluding:workers:)``.
  public static func rankProducts(
    users: DenseMatrix, items: DenseMatrix, k: Int, candidates: [Int32]? = nil,
    excluding: SparseMatrix? = nil, workers: Workers
  ) -> RankedLists {
    precondition(
      users.columnCount == items.columnCount,
      "users have \(users.columnCount) factors, items \(items.columnCount)")
    check(candidates, itemCount: items.rowCount, excluding, userCount: users.rowCount)
    let pool = candidates.map { items.selectingRows($0) } ?? items
    let excluded = candidates.map { excluding?.selectingColumns($0) } ?? excluding
    let (userCount, k) = (users.rowCount, min(k, pool.rowCount))
    var lists = RankedLists(rowCount: userCount, k: k)
    lists.withWriter { writer in
      users.withPointer { users in
        pool.withPointer { items in
          nonisolated(unsafe) let (users, items) = (users, items)
          workers.runChunks(userCount, chunk: productBlock) { _, rows in
            select(
              rows, users, items, itemCount: pool.rowCount, width: pool.columnCount, excluded,
              candidates, writer)
          }
        }
      }
    }
    return lists
  }

  /// Users a block and items a tile: 1 MB of scores, and products large enough for full speed.
  private static let productBlock = 256
  private static let productTile = 1024

  /// Ranks one block of users.
  private static func select(
    _ rows: Range<Int>, _ users: UnsafePointer<Float>, _ items: UnsafePointer<Float>,
    itemCount: Int, width: Int, _ excluded: SparseMatrix?, _ names: [Int32]?,
    _ writer: RankedLists.Writer
  ) {
    let tile = ScalarBuffer<Float>(productBlock * productTile)
    var places = [Int](repeating: 0, count: rows.count)
    if let excluded { for row in rows { places[row - rows.lowerBound] = excluded.offsets[row] } }
    let selectors = SelectorSet(count: rows.count, k: writer.k)
    for first in stride(from: 0, to: itemCount, by: productTile) {
      let count = min(productTile, itemCount - first)
      Float.gemm(
        transposeA: false, transposeB: true, m: rows.count, n: count, k: width, alpha: 1,
        a: users + rows.lowerBound * width, lda: max(width, 1), b: items + first * width,
        ldb: max(width, 1), beta: 0, c: tile.pointer, ldc: count)
      for n in 0..<rows.count {
        let line = tile.pointer + n * count
        if let excluded {
          let end = excluded.offsets[rows.lowerBound + n + 1]
          while places[n] < end, Int(excluded.columns[places[n]]) < first + count {
            line[Int(excluded.columns[places[n]]) - first] = -.infinity
            places[n] += 1
          }
        }
        selectors.pointer[n].scan(line, count: count, first: first)
      }
    }
    for n in 0..<rows.count {
      if let names {
        names.withUnsafeBufferPointer {
          writer.store(rows.lowerBound + n, &selectors.pointer[n], names: $0.baseAddress)
        }
      } else {
        writer.store(rows.lowerBound + n, &selectors.pointer[n], names: nil)
      }
    }
  }

  private static func check(
    _ candidates: [Int32]?, itemCount: Int, _ excluding: SparseMatrix?, userCount: Int
  ) {
    if let candidates {
      var previous: Int32 = -1
      for item in candidates {
        precondition(
          item > previous && item < itemCount,
          "candidate \(item) isn't ascending below \(itemCount)")
        previous = item
      }
    }
    if let excluding {
      precondition(
        excluding.rowCount == userCount && excluding.columnCount == itemCount,
        "exclusions of (\(excluding.rowCount), \(excluding.columnCount)) for (\(userCount), "
          + "\(itemCount)) scores")
    }
  }
}

/// One selector a user of a block.
private final class SelectorSet {
  let pointer: UnsafeMutablePointer<TopKSelector>
  private let count: Int

  init(count: Int, k: Int) {
    self.count = count
    pointer = .allocate(capacity: count)
    for n in 0..<count { (pointer + n).initialize(to: TopKSelector(k: k)) }
  }

  deinit {
    pointer.deinitialize(count: count)
    pointer.deallocate()
  }
}
