/// Scores items by how many users have them, the same for every user.
public struct Popularity: UserScorer, Equatable {
  /// The score of each item.
  public let counts: [Float]

  /// Counts the entries (values) of each item in (users, items) histories.
  public init(_ histories: SparseMatrix) { counts = histories.columnSums() }

  /// Takes stored counts.
  public init(counts: [Float]) { self.counts = counts }

  /// The number of items.
  public var itemCount: Int { counts.count }

  /// Writes the counts for each user.
  public func score(
    _ histories: SparseMatrix, rows: Range<Int>, into scores: UnsafeMutablePointer<Float>
  ) {
    counts.withUnsafeBufferPointer { counts in
      for n in 0..<rows.count {
        _ = UnsafeMutableBufferPointer(start: scores + n * counts.count, count: counts.count)
          .update(from: counts)
      }
    }
  }
}
