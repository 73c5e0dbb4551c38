/// The items of each user: user u's are `items[offsets[u]..<offsets[u + 1]]`, ascending, each once.
public struct InteractionRows: Sendable, Equatable {
  private let offsets: [Int]
  private let items: [Int32]

  /// Gathers pairs, `users[i]` with `items[i]`, in any order; repeated ones count once.
  public init(userCount: Int, users: [Int32], items: [Int32]) {
    precondition(users.count == items.count, "\(users.count) users for \(items.count) items")
    var starts = [Int](repeating: 0, count: userCount + 1)
    for user in users { starts[Int(user) + 1] += 1 }
    for user in 0..<userCount { starts[user + 1] += starts[user] }
    var sorted = [Int32](repeating: 0, count: items.count)
    var next = starts
    for (user, item) in zip(users, items) {
      sorted[next[Int(user)]] = item
      next[Int(user)] += 1
    }
    var offsets = [0]
    var distinct: [Int32] = []
    for user in 0..<userCount {
      for item in sorted[starts[user]..<starts[user + 1]].sorted()
      where distinct.count == offsets[user] || distinct.last != item {
        distinct.append(item)
      }
      offsets.append(distinct.count)
    }
    self.offsets = offsets
    self.items = distinct
  }

  /// The number of users.
  public var userCount: Int { offsets.count - 1 }

  /// The number of pairs.
  public var count: Int { items.count }

  /// The items of a user.
  public subscript(user: Int) -> ArraySlice<Int32> {
    items[offsets[user]..<offsets[user + 1]]
  }
}
