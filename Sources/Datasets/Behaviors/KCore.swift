extension Behaviors {
  /// The rows that are left when users and items with fewer than `k` rows are taken out, again and again
  /// until none is left to take.
  ///
  /// The order of rows and the id tables stay as they are; k of 0 and 1 keeps everything.
  public func core(_ k: Int) -> Behaviors {
    var result = self
    while k > 1 {
      let byUser = counts(result.userIndex, result.users.count)
      let byItem = counts(result.itemIndex, result.items.count)
      let kept = (0..<Int32(result.count)).filter {
        byUser[Int(result.userIndex[Int($0)])] >= k && byItem[Int(result.itemIndex[Int($0)])] >= k
      }
      if kept.count == result.count { break }
      result = result.selecting(kept)
    }
    return result
  }

  /// One row for each pair of user and item: the one with the highest label, then the earliest time, then
  /// the first in the file; in the order of the ids.
  public func deduplicated() -> Behaviors { selecting(sortedDistinctRows()) }
}
