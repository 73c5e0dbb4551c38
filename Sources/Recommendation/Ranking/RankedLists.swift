/// The best items of each user, best first, at most `k` of them.
public struct RankedLists: Sendable, Equatable {
  /// One place in a list.
  public struct Element: Sendable, Equatable {
    /// The item's index.
    public var item: Int32
    /// The item's score.
    public var score: Float

    /// Creates a place.
    public init(item: Int32, score: Float) {
      self.item = item
      self.score = score
    }
  }

  /// The largest length of a list.
  public let k: Int
  private var counts: [Int32]
  private var allItems: [Int32]
  private var allScores: [Float]

  /// Creates empty lists.
  init(rowCount: Int, k: Int) {
    self.k = k
    counts = [Int32](repeating: 0, count: rowCount)
    allItems = [Int32](repeating: 0, count: rowCount * k)
    allScores = [Float](repeating: 0, count: rowCount * k)
  }

  /// The number of lists.
  public var rowCount: Int { counts.count }

  /// The items of one list, best first.
  public func items(ofRow row: Int) -> ArraySlice<Int32> {
    allItems[(row * k)..<(row * k + Int(counts[row]))]
  }

  /// The scores of one list, best first.
  public func scores(ofRow row: Int) -> ArraySlice<Float> {
    allScores[(row * k)..<(row * k + Int(counts[row]))]
  }

  /// One list as pairs.
  public subscript(row: Int) -> [Element] {
    zip(items(ofRow: row), scores(ofRow: row)).map { Element(item: $0, score: $1) }
  }

  /// The first `k` places of each list.
  func prefix(_ k: Int) -> RankedLists {
    var result = RankedLists(rowCount: rowCount, k: min(k, self.k))
    for row in counts.indices {
      result.counts[row] = min(counts[row], Int32(result.k))
      for n in 0..<Int(result.counts[row]) {
        result.allItems[row * result.k + n] = allItems[row * self.k + n]
        result.allScores[row * result.k + n] = allScores[row * self.k + n]
      }
    }
    return result
  }

  /// The items of each list and then those of another's.
  func joined(with other: RankedLists) -> [[Int32]] {
    (0..<rowCount).map { Array(items(ofRow: $0)) + other.items(ofRow: $0) }
  }

  /// Ends each list before its first score that isn't above 0, and renames item n to `names[n]`.
  mutating func dropNonPositive(names: [Int32]) {
    for row in counts.indices {
      var kept = 0
      while kept < counts[row], allScores[row * k + kept] > 0 {
        allItems[row * k + kept] = names[Int(allItems[row * k + kept])]
        kept += 1
      }
      counts[row] = Int32(kept)
    }
  }

  /// Calls `body` with a writer whose rows workers may fill at the same time, one row a worker.
  mutating func withWriter(_ body: (Writer) -> Void) {
    func call(
      _ counts: UnsafeMutablePointer<Int32>, _ items: UnsafeMutablePointer<Int32>,
      _ scores: UnsafeMutablePointer<Float>
    ) { body(Writer(k: k, counts: counts, items: items, scores: scores)) }
    call(&counts, &allItems, &allScores)
  }

  /// Pointers to the lists.
  struct Writer: @unchecked Sendable {
    let k: Int
    let counts: UnsafeMutablePointer<Int32>
    let items: UnsafeMutablePointer<Int32>
    let scores: UnsafeMutablePointer<Float>

    /// Ends a selection and stores it as `row`; `names` renames the selector's indices.
    func store(_ row: Int, _ selector: inout TopKSelector, names: UnsafePointer<Int32>?) {
      let start = items + row * k
      let found = selector.finish(start, scores + row * k)
      if let names { for n in 0..<found { start[n] = names[Int(start[n])] } }
      counts[row] = Int32(found)
    }
  }
}
